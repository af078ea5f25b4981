"use strict";
// Tables that a click on a column sorts. Without it a page shows them in their own order.
const $ = (selector, root = document) => [...root.querySelectorAll(selector)];

function sortable(table) {
  $("thead button", table).forEach((button, column) => button.addEventListener("click", () => {
    const head = button.closest("th");
    const now = head.getAttribute("aria-sort");
    const up = now === "none" ? button.dataset.first !== "down" : now === "descending";
    $("thead th", table).forEach((th) => th.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.tBodies[0];
    const value = (row) => row.children[column].dataset.v;
    const compare = (a, b) => {
      if (value(a) === "" || value(b) === "") return (value(a) === "") - (value(b) === "");
      const difference = value(a) - value(b);
      const order = Number.isNaN(difference) ? value(a).localeCompare(value(b)) : difference;
      return up ? order : -order;
    };
    body.append(...[...body.rows].sort(compare));
  }));
}
$("table.sortable").forEach(sortable);
