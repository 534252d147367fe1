// The pictures of one reading: annotated, original, side by side, and enlarged. Needs page.js.
"use strict";

const STEP = 1.5; // by which a picture grows
const LARGEST = 6; // steps

function viewPictures(viewer) {
  const panes = [...viewer.querySelectorAll("[data-pane]")];
  const buttons = [...viewer.querySelectorAll("[data-show]")];
  let zoom = 0;

  function setZoom(steps) {
    zoom = Math.min(Math.max(steps, 0), LARGEST);
    viewer.style.setProperty("--zoom", STEP ** zoom);
    viewer.classList.toggle("zoomed", zoom > 0);
  }

  function show(what) {
    for (const pane of panes) pane.hidden = what !== "both" && pane.dataset.pane !== what;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.show === what));
    viewer.classList.toggle("both", what === "both");
    const original = panes.find((pane) => pane.dataset.pane === "original");
    if (original && !original.hidden) load(original);
  }

  // The picture of the file itself, or where a browser cannot show it, the page as it is read.
  async function load(pane) {
    const [note, picture] = [pane.querySelector("p"), pane.querySelector("img")];
    if (picture.src) return;
    const fail = () => (note.textContent = "The original cannot be shown: open the file.");
    const asRead = async () => {
      picture.onerror = fail;
      const answer = await fetch(viewer.dataset.look).catch(() => null);
      const found = answer?.ok ? await answer.json() : {};
      if (found.page) picture.src = found.page;
      else fail();
    };
    picture.onload = () => {
      note.hidden = true;
      picture.hidden = false;
    };
    picture.onerror = asRead;
    if (viewer.dataset.original) picture.src = viewer.dataset.original;
    else await asRead();
  }

  // Both pictures show the same part: where one is scrolled to, the other goes.
  function scrollTogether(event) {
    const [from] = [event.target];
    for (const to of panes) {
      if (to === from || to.hidden || from !== document.activeElement) continue;
      to.scrollTop = (from.scrollTop / Math.max(1, from.scrollHeight - from.clientHeight)) * (to.scrollHeight - to.clientHeight);
      to.scrollLeft = (from.scrollLeft / Math.max(1, from.scrollWidth - from.clientWidth)) * (to.scrollWidth - to.clientWidth);
    }
  }

  for (const pane of panes) {
    pane.addEventListener("scroll", scrollTogether);
    pane.addEventListener("pointerenter", () => pane.focus({ preventScroll: true }));
  }
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.show));
  for (const button of viewer.querySelectorAll("[data-zoom]")) {
    const by = Number(button.dataset.zoom);
    button.addEventListener("click", () => setZoom(by ? zoom + by : 0));
  }
  if (!buttons.some((button) => button.dataset.show === "annotated") && buttons.length) show("original");
}

if ($("viewer")) viewPictures($("viewer"));
