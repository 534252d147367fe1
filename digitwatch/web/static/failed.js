// Failed scans: back into the inbox, or deleted. Needs page.js.
"use strict";

async function act(path, body, button, done) {
  button.disabled = true;
  const answer = await send(path, body, body && { "Content-Type": "application/json" }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (answer?.ok) button.closest(".acts").replaceWith(done(said));
  else say(said?.problem || "not done: no connection, or the page is out of date; reload it");
  button.disabled = false;
}

function askToDelete(button) {
  $("deleting-file").textContent = button.dataset.file;
  $("deleting-reason").textContent = button.dataset.reason;
  try {
    $("deleting-who").value = localStorage.getItem("who") || "";
  } catch {} // a browser without storage asks each time
  $("deleting").onclose = () => {
    const who = $("deleting-who").value.trim();
    if ($("deleting").returnValue !== "delete" || !who) return button.focus();
    act(`/delete/${button.dataset.delete}`, JSON.stringify({ who }), button, () => `deleted by ${who}`);
  };
  $("deleting").returnValue = "";
  $("deleting").showModal();
}

document.addEventListener("click", (event) => {
  const button = event.target;
  if (button.dataset?.retry) act(`/retry/${button.dataset.retry}`, "", button, (said) => `back in the inbox as ${said.file}`);
  if (button.dataset?.delete) askToDelete(button);
});
