// What the tests want to know of the report, tried out inside the page.
const found = { alerts: [], errors: [] };
window.alert = (text) => found.alerts.push(text);
addEventListener("error", (event) => found.errors.push(String(event.message)));
const look = async () => {
  const visible = (selector) => [...document.querySelectorAll(selector)].filter((e) => !e.hidden);
  const column = (at) => [...document.querySelectorAll(".ranked tbody tr")].map((r) => r.children[at].dataset.v);
  found.width = innerWidth;
  found.overflow = document.documentElement.scrollWidth - innerWidth;
  found.wide = [...document.querySelectorAll("body *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, nav"))
    .map((e) => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`);
  found.dark = matchMedia("(prefers-color-scheme: dark)").matches;
  found.background = getComputedStyle(document.body).backgroundColor;
  const buttons = document.querySelectorAll(".ranked thead button");
  found.first = column(1);
  buttons[4].click(); found.sorted = column(4);
  found.aria = buttons[4].closest("th").getAttribute("aria-sort");
  buttons[4].click(); found.reversed = column(4);
  found.cards = visible(".card").length;
  document.querySelector("input[value=best]").click(); found.best = visible(".card").length;
  document.querySelector("input[name=kind]").click(); found.all = visible(".card").length;
  const strength = document.getElementById("strength");
  strength.value = 40; strength.dispatchEvent(new Event("input"));
  found.opacity = getComputedStyle(document.querySelector(".photo img")).opacity;
  const metric = document.getElementById("metric");
  metric.value = "nss"; metric.dispatchEvent(new Event("change"));
  found.metrics = [...new Set(visible(".value").map((e) => e.dataset.metric))];
  found.rows = document.querySelectorAll("#every tbody tr").length;
  document.getElementById("more").click();
  found.more = document.querySelectorAll("#every tbody tr").length;
  const find = document.getElementById("find");
  find.value = "img src"; find.dispatchEvent(new Event("input"));
  found.searched = [...document.querySelectorAll("#every tbody th")].map((e) => e.textContent);
  const dialog = document.getElementById("large");
  const heading = document.getElementById("large-title");
  const press = (key) => dialog.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const open = [...document.querySelectorAll(".open")];
  found.figures = document.querySelectorAll("figure").length;
  found.opened = open.filter((button) => { button.click(); const is = dialog.open; dialog.close(); return is; }).length;
  open[0].click();
  found.turned = [heading.textContent];
  for (const key of ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]) { press(key); found.turned.push(heading.textContent); }
  for (let wait = 0; wait < 50 && !document.getElementById("download").href; wait += 1) await new Promise((r) => setTimeout(r, 100));
  found.download = document.getElementById("download").href.slice(0, 22);
  dialog.close(); await new Promise((r) => setTimeout(r, 50));
  found.focused = document.activeElement === open[0];
  await Promise.all([...document.images].map((i) => { i.loading = "eager"; return i.decode(); }));
  found.broken = [...document.images].filter((i) => !i.naturalWidth).length;
  const focusable = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")];
  found.unreachable = focusable.filter((e) => e.tabIndex < 0).length;
  found.small = [...document.querySelectorAll("p, td, th, figcaption, dd, dt")]
    .filter((e) => e.textContent.trim() && parseFloat(getComputedStyle(e).fontSize) < 11).length;
  found.resources = performance.getEntriesByType("resource").map((e) => e.name)
    .filter((name) => !name.startsWith("data:"));
};
addEventListener("load", async () => {
  try { await look(); } catch (error) { found.errors.push(String(error)); }
  await fetch("/found", { method: "POST", body: JSON.stringify(found) });
});
