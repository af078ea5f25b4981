// Filtering, large pictures, and the table of all images. Without it the page still shows the rest.
$("input[name=kind]").forEach((radio) => radio.addEventListener("change", () => {
  $(".card").forEach((card) => {
    card.hidden = radio.value !== "" && !card.dataset.kinds.split(" ").includes(radio.value);
  });
}));
document.getElementById("strength")?.addEventListener("input", (event) => {
  document.documentElement.style.setProperty("--opacity", event.target.value / 100);
});
document.getElementById("metric")?.addEventListener("change", (event) => {
  $(".value").forEach((span) => { span.hidden = span.dataset.metric !== event.target.value; });
});

// Every figure opens large. The arrow keys walk over the figures of its card or section.
const large = document.getElementById("large");
const stage = document.getElementById("stage");
const title = document.getElementById("large-title");
const download = document.getElementById("download");
const home = (figure) => figure.closest(".card") ?? figure.closest("section");
const figures = (root) => $("figure", root);
const named = (figure) => {
  const card = figure.closest(".card");
  const caption = figure.querySelector("figcaption").innerText.replace(/\s+/g, " ").trim();
  return card ? `${card.dataset.image}: ${caption}` : caption;
};
let open = null;

function show(figure) {
  open = figure;
  const copy = figure.cloneNode(true);
  $(".open", copy).forEach((button) => button.remove());
  $("[id]", copy).forEach((part) => part.removeAttribute("id"));
  const photo = copy.querySelector(".photo");
  stage.className = figure.closest(".card")?.className ?? "panels";
  stage.replaceChildren(photo ?? copy);
  title.textContent = named(figure);
  download.hidden = !photo;
  download.removeAttribute("href");
  if (photo) drawn(figure).then((url) => { if (open === figure) download.href = url; });
  download.download = `${named(figure).replace(/[^\w.@-]+/g, "_")}.png`;
  if (!large.open) large.showModal();
}

// The photograph and the map over it as one PNG.
async function drawn(figure) {
  const load = async (source) => { const image = new Image(); image.src = source; await image.decode(); return image; };
  const photo = getComputedStyle(figure.closest(".card")).getPropertyValue("--photo");
  const below = await load(photo.trim().replace(/^url\(["']?|["']?\)$/g, ""));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [below.naturalWidth, below.naturalHeight];
  const brush = canvas.getContext("2d");
  brush.drawImage(below, 0, 0);
  const over = figure.querySelector(".photo img");
  if (over) {
    brush.globalAlpha = getComputedStyle(over).opacity;
    brush.drawImage(await load(over.src), 0, 0, canvas.width, canvas.height);
  }
  return canvas.toDataURL("image/png");
}

function turn(way) {
  if (way === "close") return large.close();
  const mine = figures(home(open));
  const at = mine.indexOf(open);
  if (way === "left" || way === "right") {
    return show(mine[(at + (way === "right" ? 1 : mine.length - 1)) % mine.length]);
  }
  const cards = $(".card").filter((card) => !card.hidden);
  const card = cards.indexOf(open.closest(".card"));
  if (card < 0) return undefined;
  const next = figures(cards[(card + (way === "down" ? 1 : cards.length - 1)) % cards.length]);
  return show(next[Math.min(at, next.length - 1)]);
}

$("figure").forEach((figure) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "open";
  button.setAttribute("aria-label", `Open large: ${figure.querySelector("figcaption").textContent.trim()}`);
  button.addEventListener("click", () => show(figure));
  figure.prepend(button);
});
$("[data-turn]", large).forEach((button) => button.addEventListener("click", () => turn(button.dataset.turn)));
large.addEventListener("keydown", (event) => {
  const way = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key];
  if (!way) return;
  event.preventDefault();
  turn(way);
});
large.addEventListener("click", (event) => { if (event.target === large) large.close(); });
large.addEventListener("close", () => {
  stage.replaceChildren();
  open?.querySelector(".open")?.focus();
});

$("button.copy").forEach((button) => button.addEventListener("click", async () => {
  const block = document.getElementById(button.dataset.of);
  const said = button.parentElement.querySelector(".copied");
  try {
    await navigator.clipboard.writeText(block.textContent);
    said.textContent = "copied";
  } catch {
    getSelection().selectAllChildren(block);
    said.textContent = document.execCommand("copy") ? "copied" : "selected, press Ctrl+C";
  }
}));

const stored = document.getElementById("values");
if (stored) {
  const all = JSON.parse(stored.textContent);
  const table = document.getElementById("every");
  const choice = document.getElementById("column");
  const find = document.getElementById("find");
  const more = document.getElementById("more");
  const state = { by: -1, up: true, rows: 20 };
  const cell = (tag, text, scope) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (scope) made.scope = scope;
    return made;
  };
  const draw = () => {
    const columns = all.values[choice.value];
    const wanted = find.value.toLowerCase();
    const order = all.images.map((_, at) => at)
      .filter((at) => all.images[at].toLowerCase().includes(wanted));
    const key = (at) => (state.by < 0 ? all.images[at] : columns[state.by][at]);
    order.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      const sign = state.by < 0 ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
      return state.up ? sign : -sign;
    });
    const head = document.createElement("tr");
    ["image", ...all.methods].forEach((name, at) => {
      const th = cell("th", "", "col");
      const mine = at - 1 === state.by;
      th.setAttribute("aria-sort", mine ? (state.up ? "ascending" : "descending") : "none");
      const button = cell("button", name);
      button.type = "button";
      button.addEventListener("click", () => {
        state.up = mine ? !state.up : at === 0;
        state.by = at - 1;
        draw();
        $("button", table)[at].focus();
      });
      th.append(button);
      head.append(th);
    });
    const body = order.slice(0, state.rows).map((at) => {
      const row = document.createElement("tr");
      row.append(cell("th", all.images[at], "row"));
      columns.forEach((column) => row.append(cell("td", column[at] === null ? "–" : column[at].toFixed(3))));
      return row;
    });
    const [top, rest] = [document.createElement("thead"), document.createElement("tbody")];
    top.append(head);
    rest.append(...body);
    table.replaceChildren(top, rest);
    more.hidden = order.length <= state.rows;
    document.getElementById("count").textContent = `${order.length} of ${all.images.length} images`;
  };
  choice.addEventListener("change", draw);
  find.addEventListener("input", () => { state.rows = 20; draw(); });
  more.addEventListener("click", () => { state.rows += 200; draw(); });
  draw();
}
