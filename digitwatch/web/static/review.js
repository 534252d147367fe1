// Corrections: the value of one page, and the review of many by keyboard. Needs page.js.
"use strict";

// --- the name of the person ---

const person = { name: "" };
try {
  person.name = localStorage.getItem("who") || "";
} catch {} // a browser without storage asks once a page

function showName() {
  $("naming").hidden = Boolean(person.name);
  $("named").hidden = !person.name;
  $("whose").textContent = person.name;
}

// Returns whether the name is known; asks for it otherwise.
function hasName() {
  if (person.name) return true;
  say("Enter your name first: it is saved with each correction.");
  $("naming").hidden = false;
  $("who").focus();
  return false;
}

function setUpName() {
  showName();
  $("naming").addEventListener("submit", (event) => {
    event.preventDefault();
    person.name = $("who").value.trim();
    if (!hasName()) return;
    try {
      localStorage.setItem("who", person.name);
    } catch {}
    showName();
    $("answer").focus();
  });
  $("rename").addEventListener("click", () => {
    $("who").value = person.name;
    $("naming").hidden = false;
    $("named").hidden = true;
    $("who").focus();
  });
}

// --- what is typed ---

const EXPECTED = "Expected a number as it is written, such as 1250, 12,50, -3, 12/05/1998 or 2½";
const LONE = { x: "x", e: "" }; // typed alone and sent with Enter: not a number, empty page

// Returns {now} for a typed value, or {problem} saying what is wrong with it.
function parse(typed, pattern) {
  const text = typed.replace(/[\u2010\u2011\u2013\u2212]/g, "-").trim().split(/\s+/).join(" ");
  if (text.toLowerCase() in LONE) return { now: LONE[text.toLowerCase()] };
  if (new RegExp(`^(?:${pattern})$`, "u").test(text)) return { now: text };
  return { problem: `${EXPECTED}; found “${text.slice(0, 40)}”. Not saved.` };
}

function setUpField() {
  const field = $("answer");
  if (field.tagName !== "INPUT") return;
  field.addEventListener("paste", (event) => {
    const pasted = event.clipboardData.getData("text");
    if (!/[\r\n]/.test(pasted)) return; // an <input> joins lines, and 12 and 34 would become 1234
    event.preventDefault();
    field.setRangeText(pasted.trim().replace(/\s+/g, " "), field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input"));
  });
  for (const button of document.querySelectorAll("[data-sign]")) {
    button.addEventListener("click", () => {
      field.setRangeText(button.dataset.sign, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input"));
      field.focus();
    });
  }
}

// --- saving ---

class ConflictError extends Error {
  constructor(correction) {
    super("Somebody else corrected this page meanwhile.");
    this.correction = correction; // {now, who, time}; null where a correction was taken back
  }
}

// `basedOn` is the time of the correction that was displayed, "" for none: the server refuses to replace another one
async function correct(reading, now, basedOn) {
  const known = { id: reading.id, page: reading.page, field: reading.field, was: reading.value, based_on: basedOn };
  const body = JSON.stringify({ ...known, now, who: person.name });
  const answer = await send("/corrections", body, { "Content-Type": "application/json" }).catch(() => null);
  if (answer?.ok) return answer.json();
  const said = await answer?.json().catch(() => null);
  if (said && "correction" in said) throw new ConflictError(said.correction);
  throw new Error(said?.problem || "it could not be saved: no connection, or the page is out of date; reload it");
}

const worded = (now) => ({ x: "not a number", "": "empty", undo: "no correction" })[now] ?? now;

// Shows both corrections; `save` gets the time of the other one, on which ours is then based.
function showConflict(correction, now, { save, keep }) {
  const other = correction ? `${correction.who || "Somebody"} saved “${worded(correction.now)}”` : "Somebody took the correction back";
  $("conflict-text").textContent = `${other} meanwhile; yours is “${worded(now)}”. Nothing was replaced.`;
  $("save-mine").textContent = `Replace it by “${worded(now)}”`;
  $("conflict").hidden = false;
  const close = (act) => () => {
    $("conflict").hidden = true;
    act();
  };
  $("keep-theirs").onclick = close(keep);
  $("save-mine").onclick = close(() => save(correction?.time || ""));
  $("keep-theirs").focus();
}

// --- one reading ---

function correctOne() {
  const { id, page, field: name, was, basedOn, pattern } = $("correct").dataset;
  const field = $("answer");
  const before = field.value;
  const change = async (now, based) => {
    if (!hasName()) return;
    try {
      await correct({ id, page, field: name, value: was }, now, based);
      location.reload();
    } catch (error) {
      if (!(error instanceof ConflictError)) return say(error.message);
      showConflict(error.correction, now, { save: (time) => change(now, time), keep: () => location.reload() });
    }
  };
  const changeUnlessTyped = (now) => {
    if (field.tagName === "INPUT" && field.value !== before) return say("There is another value in the field: save it, or clear it.");
    change(now, basedOn);
  };
  $("correct").addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.tagName === "SELECT") return change(field.value, basedOn);
    if (!field.value.trim()) return say(`Type the value, or press “${$("empty").textContent}”.`);
    const { now, problem } = field.value === was ? { now: was } : parse(field.value, pattern);
    if (problem) return say(problem);
    change(now, basedOn);
  });
  $("not")?.addEventListener("click", () => changeUnlessTyped("x"));
  $("empty")?.addEventListener("click", () => changeUnlessTyped(""));
  $("undo")?.addEventListener("click", () => changeUnlessTyped("undo"));
  setUpField();
}

// --- the picture of the review ---

const CARD_AFTER_MS = 1500; // after which the whole card is shown instead of a zoomed picture that is not ready
const AHEAD = 3; // pages whose zoomed pictures are fetched in advance

// Returns the key of the page of a reading, ID/PAGE, and the field that follows it in the key, if any.
function split(key) {
  const [id, page, field] = key.split("/");
  return [`${id}/${page}`, field && decodeURIComponent(field)];
}

class Sight {
  constructor() {
    this.views = new Map(); // promises of what /look says, by page: one answer shows all fields of a form
    this.shownAt = null; // when the picture of the reading came in sight
    this.isCard = false;
  }

  async view(key) {
    const [page, field] = split(key);
    if (!this.views.has(page)) {
      const fetched = fetch(`/look/${page}`).then((answer) => (answer.ok ? answer.json() : { problem: answer.status }));
      this.views.set(page, fetched.catch(() => ({ problem: "no connection" })));
    }
    const view = await this.views.get(page);
    return field && view.fields ? (view.fields[field] ? { ...view, ...view.fields[field] } : { problem: "no such field" }) : view;
  }

  async prepare(keys) {
    const pages = [...new Set(keys.map((key) => split(key)[0]))].slice(0, AHEAD);
    for (const page of this.views.keys()) if (!pages.includes(page)) this.views.delete(page);
    for (const page of pages) await this.view(page);
  }

  async show(key, reading) {
    this.key = key;
    this.shownAt = null;
    $("picture").hidden = $("overview").hidden = true;
    $("loading").hidden = false;
    const late = new Promise((go) => setTimeout(go, CARD_AFTER_MS, null));
    const view = this.isCard ? null : await Promise.race([this.view(key), late]);
    if (this.key !== key) return;
    this.display(key, reading, view);
    if (view || this.isCard) return;
    const found = await this.view(key);
    if (this.key === key && !this.isCard && !found.problem) this.display(key, reading, found);
  }

  display(key, reading, view) {
    const card = reading.has_picture ? `/whole/${split(key)[0]}` : "";
    const source = view && !view.problem ? view.zoom || view.page : card;
    $("picture").alt = `The ${reading.field ? `field ${reading.field}` : "page"}, read as ${reading.value || "nothing"}`;
    if (!source) return this.seen(key, "There is no picture of this page.");
    $("picture").onload = () => this.seen(key, "");
    $("picture").onerror = () => this.seen(key, "The picture of this page cannot be shown.");
    $("picture").src = source;
    if (view?.zoom) this.frame(view);
  }

  frame(view) {
    const [left, top, width, height] = view.frame;
    Object.assign($("frame").style, { left: `${100 * left}%`, top: `${100 * top}%` });
    Object.assign($("frame").style, { width: `${100 * width}%`, height: `${100 * height}%` });
    $("overview-picture").src = view.page;
    $("overview").hidden = false;
  }

  seen(key, problem) {
    if (this.key !== key) return;
    $("picture").hidden = Boolean(problem);
    $("loading").textContent = problem || "The picture is loading …";
    $("loading").hidden = !problem;
    requestAnimationFrame(() => (this.shownAt = performance.now()));
  }
}

// --- the review ---

const SETTLE_MS = 400; // for which a page must be in sight before one key answers it

function review() {
  const waiting = []; // the readings to come, least certain first
  const said = []; // what was answered: to take it back
  const skipped = new Set();
  const saving = new Map(); // answers on their way, by reading
  const drafts = new Map(); // what is typed and not saved, by reading
  const labels = [...document.querySelectorAll("[data-label]")]; // to choose from, where the model sorts pictures
  const field = $("answer");
  const hasField = field.tagName === "INPUT";
  const pattern = $("review").dataset.pattern;
  const sight = new Sight();
  let left = 0;
  let begun = 0;

  const key = (reading) => reading.key;

  async function fill() {
    const more = waiting.length + skipped.size + saving.size;
    const page = waiting.length ? split(key(waiting[0]))[0] : "";
    const answer = await fetch(`/queue?more=${Math.min(more, 9999)}&page=${encodeURIComponent(page)}`).catch(() => null);
    if (!answer?.ok) return say("The readings are not available at the moment.");
    const found = await answer.json();
    const known = new Set([...waiting.map(key), ...said.map(({ reading }) => key(reading)), ...skipped]);
    waiting.push(...found.readings.filter((reading) => !known.has(key(reading))).slice(0, 8));
    left = Math.max(found.waiting - saving.size - skipped.size, waiting.length);
    show();
  }

  function show() {
    const reading = waiting[0];
    $("item").hidden = !reading;
    $("done").hidden = Boolean(reading);
    $("left").textContent = reading ? `${left} to review` : "";
    $("file").hidden = !reading;
    if (!reading) show.key = "";
    if (said.length > 1) {
      const minutes = (performance.now() - begun) / 60000;
      $("pace").textContent = `${said.length} done, ${Math.round(said.length / minutes)} a minute`;
    }
    if (!reading || key(reading) === show.key) return;
    if (show.key && hasField && field.value) drafts.set(show.key, field.value);
    show.key = key(reading);
    sight.show(show.key, reading).then(() => sight.prepare(waiting.map(key)));
    showTexts(reading);
  }

  function showTexts(reading) {
    $("file").textContent = reading.file + (reading.page === "1" ? "" : `, page ${reading.page}`);
    $("file").href = `/reading/${key(reading)}`;
    $("field").textContent = reading.field && `Field ${reading.field}`;
    $("field").hidden = !reading.field;
    $("empty").textContent = reading.field ? "Empty field" : "Empty page";
    $("read").textContent = reading.value || "nothing";
    $("confidence").textContent = `confidence ${reading.confidence}`;
    const before = reading.expected && `the value before it was ${reading.expected}`;
    $("reason").textContent = [reading.reason, before].filter(Boolean).join("; ");
    $("conflict").hidden = true;
    for (const label of labels) label.classList.toggle("read", label.dataset.label === reading.value);
    if (hasField) {
      field.value = drafts.get(key(reading)) || "";
      field.placeholder = reading.can_confirm ? reading.value : "";
      drafts.delete(key(reading));
    }
    showButton();
    if (person.name) field.focus();
    else $("who").focus();
  }

  // Names what the button does, and what Enter alone does.
  function showButton() {
    const reading = waiting[0];
    if (!reading) return;
    const isTyped = hasField && field.value.trim();
    const button = $("save") || field;
    button.textContent = isTyped ? "Save" : `Confirm ${reading.value}`;
    button.disabled = !isTyped && !reading.can_confirm;
    $("keys-hint").textContent = reading.can_confirm
      ? "Enter alone confirms what was read."
      : "Enter alone does not confirm this one: type the number, or choose “not a number” or “empty page”.";
  }

  // Returns whether an answer of one key is meant for the page that is shown, and not for the one before it.
  function isSettled() {
    const now = performance.now();
    if (sight.shownAt !== null && now - sight.shownAt >= SETTLE_MS) return true;
    if (sight.shownAt !== null) sight.shownAt = now; // a burst of presses never ends on its own
    say("Not saved: the page had only just appeared. Look at it, then press again.");
    return false;
  }

  function answerAtOnce(now) {
    if (!waiting.length) return;
    if (hasField && field.value.trim()) return say("There is text in the field: save it with Enter, or clear it with Esc.");
    if (isSettled()) answer(now);
  }

  async function answer(now, basedOn = "") {
    if (!waiting.length || !hasName()) return;
    const reading = waiting.shift();
    begun ||= performance.now();
    const typed = hasField ? field.value : "";
    if (hasField) field.value = "";
    said.push({ reading, basedOn });
    left -= 1;
    const saved = correct(reading, now, basedOn);
    saving.set(key(reading), saved);
    show();
    try {
      const entry = said.find((one) => one.reading === reading);
      entry.basedOn = (await saved).based_on;
    } catch (error) {
      takeBack(reading, typed, now, error);
    } finally {
      saving.delete(key(reading));
    }
    if (waiting.length < 4) await fill();
  }

  // Shows a reading again whose answer was not saved.
  function takeBack(reading, typed, now, error) {
    const place = said.findIndex((one) => one.reading === reading);
    if (place >= 0) said.splice(place, 1);
    if (typed) drafts.set(key(reading), typed);
    if (!waiting.includes(reading)) {
      waiting.unshift(reading);
      left += 1;
    }
    show();
    if (!(error instanceof ConflictError)) return say(error.message);
    const keep = () => {
      drafts.delete(key(reading));
      leave();
    };
    showConflict(error.correction, now, { save: (time) => answer(now, time), keep });
  }

  // Goes on without the reading that is shown.
  function leave() {
    const reading = waiting.shift();
    skipped.add(key(reading));
    left -= 1;
    if (hasField) field.value = "";
    show();
    if (waiting.length < 4) fill();
  }

  async function undo() {
    const last = said.pop();
    if (!last) return say("There is nothing to undo.");
    waiting.unshift(last.reading);
    left += 1;
    show();
    try {
      await saving.get(key(last.reading));
      await correct(last.reading, "undo", last.basedOn);
    } catch (error) {
      if (!(error instanceof ConflictError)) return say(error.message);
      const save = (time) => correct(last.reading, "undo", time).catch((again) => say(again.message));
      showConflict(error.correction, "undo", { save, keep: leave });
    }
  }

  function skip() {
    if (!waiting.length) return;
    if (hasField && field.value.trim()) return say("There is text in the field: save it with Enter, or clear it with Esc.");
    leave();
  }

  function toggleCard() {
    sight.isCard = !sight.isCard;
    $("card").setAttribute("aria-pressed", String(sight.isCard));
    if (waiting.length) sight.show(key(waiting[0]), waiting[0]);
  }

  function clear() {
    if (!hasField) return;
    if (field.value) field.value = "";
    else field.blur();
    showButton();
  }

  const keys = { x: () => answerAtOnce("x"), e: () => answerAtOnce(""), u: undo, s: skip, w: toggleCard };
  keys["?"] = () => $("keys").showModal();

  addEventListener("keydown", (event) => {
    if ($("keys").open || event.ctrlKey || event.metaKey || event.target.closest("#naming")) return;
    if (event.repeat && (event.key === "Enter" || event.target !== field || event.altKey)) return event.preventDefault();
    if (event.key === "Escape") return clear();
    if (event.target === field && hasField && !event.altKey) return; // keys only type
    const letter = event.altKey && event.code.startsWith("Key") ? event.code[3].toLowerCase() : event.key.toLowerCase();
    if (keys[letter]) {
      event.preventDefault();
      keys[letter]();
    } else if (labels.length) labels.slice(0, 9)[event.key - 1]?.click();
    else if (/^[0-9]$/.test(event.key) && !event.altKey) field.focus();
  });
  $("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const reading = waiting[0];
    if (!reading) return;
    if (!hasField || !field.value.trim()) {
      if (reading.can_confirm) answerAtOnce(reading.value);
      else say($("keys-hint").textContent);
      return;
    }
    const { now, problem } = parse(field.value, pattern);
    if (problem) return say(problem);
    answer(now);
  });
  field.addEventListener("input", showButton);
  for (const label of labels) label.addEventListener("click", () => answerAtOnce(label.dataset.label));
  for (const button of document.querySelectorAll("[data-key]")) {
    button.addEventListener("click", () => keys[button.dataset.key]());
  }
  setUpField();
  fill();
}

if ($("naming")) setUpName();
if ($("review")) review();
if ($("correct")) correctOne();
