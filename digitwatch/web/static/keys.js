// Keys of the list and of a reading; the review has its own. Needs page.js.
"use strict";

function besides(step) {
  const links = [...document.querySelectorAll(".reading a")];
  const at = links.indexOf(document.activeElement);
  return links[Math.max(at + step, 0)];
}

function follow(id) {
  const link = $(id);
  if (link) location.assign(link.href);
}

function toSearch() {
  if ($("filters")) $("filters").elements.number.focus();
  else location.assign("/#filters");
}

const listKeys = {
  "/": toSearch,
  "?": () => $("all-keys").showModal(),
  b: () => follow("to-list"),
  j: () => ($("to-list") ? follow("to-next") : besides(1)?.focus()),
  k: () => ($("to-list") ? follow("to-previous") : besides(-1)?.focus()),
};

if ($("all-keys")) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input,select,textarea,dialog")) return;
    if (!listKeys[event.key] || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    listKeys[event.key]();
  });
  $("show-keys").addEventListener("click", () => $("all-keys").showModal());
  if (location.hash === "#filters") toSearch();
} else $("show-keys")?.addEventListener("click", () => $("help").click()); // the review's own
