// Live readings, uploads, corrections, and the review by keyboard.
"use strict";

const $ = (id) => document.getElementById(id);
const proof = document.querySelector("meta[name=proof]")?.content;

function say(text) {
  const notice = $("notice");
  notice.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (notice.textContent = ""), 6000);
}

async function send(path, body, headers = {}) {
  const answer = await fetch(path, { method: "POST", body, headers: { "X-Digitwatch": proof, ...headers } });
  if (answer.status === 401) location.assign("/login");
  return answer;
}

// --- the top of each page ---

function showCounts(numbers) {
  const counts = { ...numbers.today, waiting: numbers.waiting, review: undefined };
  for (const place of document.querySelectorAll("[data-count]")) {
    const name = place.dataset.count;
    if (place.classList.contains("badge")) {
      place.textContent = numbers.review;
      place.hidden = !numbers.review;
    } else place.textContent = name === "review" ? numbers.today.review : counts[name];
  }
  $("trouble").textContent = numbers.trouble && `Problem: ${numbers.trouble}`;
  $("trouble").hidden = !numbers.trouble;
}

$("leave")?.addEventListener("click", async () => {
  await send("/logout", "");
  location.assign("/login");
});

// --- the list, live ---

const list = $("readings");
const MOST = 200; // readings kept in a page that stays open

function isWanted(told) {
  const { status, name, day } = list.dataset;
  return (
    (!status || told.status === status) &&
    (!name || told.file.toLowerCase().includes(name.toLowerCase())) &&
    (!day || told.time.startsWith(day))
  );
}

async function fetchList(before) {
  const query = new URLSearchParams(new FormData($("filters")));
  for (const name of ["status", "name", "day"]) query.set(name, list.dataset[name]);
  if (before) query.set("before", before);
  const answer = await fetch(`/list?${query}`);
  return answer.ok ? await answer.text() : null;
}

async function reload() {
  $("many").hidden = true;
  reload.missed = 0;
  const html = await fetchList();
  if (html !== null) list.innerHTML = html; // made by our own templates, every value escaped
}

function addReading(told) {
  if (!isWanted(told)) return;
  const added = document.createElement("template");
  added.innerHTML = told.html;
  const item = added.content.firstElementChild;
  item.classList.add("new");
  setTimeout(() => item.classList.remove("new"), 3000);
  list.querySelector(".nothing")?.remove();
  list.prepend(item);
  for (const old of [...list.querySelectorAll(".reading")].slice(MOST)) old.remove();
}

function tellMany(number) {
  reload.missed = (reload.missed || 0) + number;
  const button = $("many").firstElementChild;
  button.textContent = `${reload.missed} new readings: show them`;
  $("many").hidden = false;
  clearTimeout(reload.timer); // when the flood is over the list shows it by itself, unless somebody reads further down
  reload.timer = setTimeout(() => scrollY < 300 && reload.missed && reload(), 2000 + 1000 * Math.random());
}

function listen() {
  const start = list ? list.dataset.start : "";
  const source = new EventSource(`/live?from=${encodeURIComponent(start)}`);
  source.addEventListener("counts", (event) => showCounts(JSON.parse(event.data)));
  source.addEventListener("error", () => source.readyState === EventSource.CLOSED && setTimeout(listen, 5000));
  if (!list) return;
  source.addEventListener("reading", (event) => addReading(JSON.parse(event.data)));
  source.addEventListener("many", (event) => tellMany(Number(event.data)));
  source.addEventListener("reload", reload);
}

if (list) {
  $("many").firstElementChild.addEventListener("click", reload);
  list.addEventListener("click", async (event) => {
    const before = event.target.dataset.older;
    if (!before) return;
    const html = await fetchList(before);
    if (html === null) return say("The list is not available at the moment.");
    event.target.parentElement.remove();
    list.insertAdjacentHTML("beforeend", html);
  });
}
if (proof) listen();

// --- uploads ---

async function upload(file, place) {
  for (let attempt = 0; attempt < 30; attempt++) {
    const answer = await send("/upload", file, {
      "X-File-Name": encodeURIComponent(file.name),
      "Content-Type": "application/octet-stream",
    }).catch(() => null);
    if (!answer) return (place.textContent = `${file.name}: no connection`);
    if (answer.status !== 429 && answer.status !== 503) {
      const said = await answer.json().catch(() => ({ trouble: answer.status }));
      return (place.textContent = answer.ok ? `${said.file}: in the inbox` : `${file.name}: ${said.trouble}`);
    }
    await new Promise((go) => setTimeout(go, 1000 * Number(answer.headers.get("Retry-After") || 1)));
  }
  place.textContent = `${file.name}: the server is too busy`;
}

async function uploadAll(files) {
  const shown = $("uploads");
  shown.replaceChildren();
  for (const file of files) {
    const place = document.createElement("li");
    place.textContent = `${file.name} …`;
    shown.append(place);
    await upload(file, place);
    while (shown.childElementCount > 20) shown.firstElementChild.remove();
  }
}

if ($("upload")) {
  for (const id of ["files", "camera"]) {
    $(id).addEventListener("change", async () => {
      await uploadAll([...$(id).files]);
      $(id).value = "";
    });
  }
  const dragged = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!dragged(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => !event.relatedTarget && document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    if (!dragged(event)) return;
    event.preventDefault();
    uploadAll([...event.dataTransfer.files]);
  });
}

// --- corrections ---

function remembered() {
  try {
    return localStorage.getItem("who") || "";
  } catch {
    return "";
  }
}

// `corrected` is the correction that was displayed, null for none: the server refuses to replace another one
async function correct(reading, now, corrected) {
  const known = { id: reading.id, page: reading.page, was: reading.prediction, corrected };
  const body = JSON.stringify({ ...known, now, who: remembered() });
  const answer = await send("/corrections", body, { "Content-Type": "application/json" }).catch(() => null);
  if (answer?.ok) return answer.json();
  const said = await answer?.json().catch(() => null);
  throw new Error(said?.trouble || "it could not be saved: no connection, or the page is out of date; reload it");
}

if ($("correct")) {
  const { id, page, was, corrected = null } = $("correct").dataset;
  const change = async (now) => {
    try {
      await correct({ id, page, prediction: was }, now, corrected);
      location.reload();
    } catch (error) {
      say(error.message);
    }
  };
  $("correct").addEventListener("submit", (event) => {
    event.preventDefault();
    change($("answer").value.trim());
  });
  $("undo")?.addEventListener("click", () => change("undo"));
}

// --- what the model saw ---

function cell(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

function seen(digit, labels) {
  const item = document.createElement("li");
  const picture = document.createElement("img");
  picture.src = digit.glyph;
  picture.alt = `What the model saw of a ${digit.text}`;
  const table = document.createElement("table");
  const caption = cell("caption", `read as ${digit.text}`);
  table.append(caption);
  digit.probabilities.forEach((probability, k) => {
    const row = table.insertRow();
    row.append(cell("th", labels[k]), cell("td", `${(100 * probability).toFixed(2)} %`));
    row.firstChild.scope = "row";
    row.classList.toggle("best", probability === Math.max(...digit.probabilities));
  });
  item.append(picture, table);
  return item;
}

$("look")?.firstElementChild.addEventListener("click", async (event) => {
  const place = $("look");
  event.target.disabled = true;
  event.target.textContent = "Reading …";
  const answer = await fetch(place.dataset.from).catch(() => null);
  const failed = answer?.status === 404 ? "the original is no longer there" : "the server is busy or gone; try again";
  const found = answer?.ok ? await answer.json() : { trouble: failed };
  if (found.trouble) return place.replaceChildren(cell("p", `Not possible: ${found.trouble}.`));
  const digits = document.createElement("ol");
  digits.className = "seen";
  digits.append(...found.digits.map((digit) => seen(digit, found.labels)));
  const page = document.createElement("img");
  page.className = "preview";
  page.src = found.page;
  page.alt = "The page as it was read";
  place.replaceChildren();
  if (found.model !== place.dataset.model) place.append(cell("p", `Read by the current model, ${found.model}.`));
  place.append(digits, cell("h2", "The page as it was read"), page);
});

// --- the review ---

function review() {
  const waiting = []; // the readings to come, least certain first
  const said = []; // what was answered: to take it back
  const skipped = new Set();
  const saving = new Map(); // answers on their way, by reading
  const labels = [...document.querySelectorAll("[data-label]")]; // to choose from, where the model sorts pictures
  let left = 0;
  let begun = 0;

  const key = (reading) => `${reading.id}/${reading.page}`;

  async function fill() {
    const more = waiting.length + skipped.size + saving.size;
    const answer = await fetch(`/queue?more=${Math.min(more, 9999)}`).catch(() => null);
    if (!answer?.ok) return say("The readings are not available at the moment.");
    const found = await answer.json();
    const known = new Set([...waiting.map(key), ...said.map(({ reading }) => key(reading)), ...skipped]);
    waiting.push(...found.readings.filter((reading) => !known.has(key(reading))).slice(0, 8));
    left = Math.max(found.waiting - saving.size - skipped.size, waiting.length);
    for (const reading of waiting) if (reading.has_picture) new Image().src = `/whole/${key(reading)}`;
    show();
  }

  function show() {
    const reading = waiting[0];
    $("item").hidden = !reading;
    $("done").hidden = Boolean(reading);
    $("left").textContent = reading ? `${left} to review` : "";
    if (said.length > 1) {
      const minutes = (performance.now() - begun) / 60000;
      $("pace").textContent = `${said.length} done, ${Math.round(said.length / minutes)} a minute`;
    }
    if (!reading || key(reading) === show.key) return;
    show.key = key(reading);
    $("file").textContent = reading.file + (reading.page === "1" ? "" : `, page ${reading.page}`);
    $("file").href = `/reading/${key(reading)}`;
    $("picture").hidden = !reading.has_picture;
    if (reading.has_picture) $("picture").src = `/whole/${key(reading)}`;
    $("picture").alt = `The page, read as ${reading.prediction || "nothing"}`;
    $("read").textContent = reading.prediction || "nothing";
    $("confidence").textContent = `${(100 * reading.confidence).toFixed(1)} %`;
    $("reason").textContent = reading.reason;
    $("answer").value = "";
    $("answer").placeholder = reading.prediction;
    $("answer").focus();
    for (const label of labels) label.classList.toggle("read", label.dataset.label === reading.prediction);
  }

  async function answer(now) {
    const reading = waiting.shift();
    if (!reading) return;
    begun ||= performance.now();
    const entry = { reading, now };
    said.push(entry);
    left -= 1;
    show();
    const saved = correct(reading, now, null);
    saving.set(key(reading), saved);
    try {
      entry.now = (await saved).now;
    } catch (error) {
      said.splice(said.findIndex((one) => one.reading === reading), 1);
      waiting.unshift(reading);
      say(error.message);
      show();
    } finally {
      saving.delete(key(reading));
    }
    if (waiting.length < 4) await fill();
  }

  async function undo() {
    const last = said.pop();
    if (!last) return say("There is nothing to undo.");
    waiting.unshift(last.reading);
    left += 1;
    show();
    try {
      await saving.get(key(last.reading));
      await correct(last.reading, "undo", last.now);
    } catch (error) {
      say(error.message);
    }
  }

  function skip() {
    const reading = waiting.shift();
    if (!reading) return;
    skipped.add(key(reading));
    show();
    if (waiting.length < 4) fill();
  }

  function toggleKeys() {
    $("keys").hidden = !$("keys").hidden;
    $("help").setAttribute("aria-expanded", String(!$("keys").hidden));
  }

  const keys = { x: () => answer("x"), e: () => answer(""), u: undo, s: skip, "?": toggleKeys };
  keys.Escape = () => ($("answer").value = "");

  addEventListener("keydown", (event) => {
    if (event.target === $("who") || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key] || keys[event.key.toLowerCase()];
    if (act) {
      event.preventDefault();
      act();
    } else if (labels.length) labels.slice(0, 9)[event.key - 1]?.click();
    else if (/^[0-9]$/.test(event.key) && event.target !== $("answer")) $("answer").focus();
  });
  $("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = $("answer").value.trim();
    if (/[^0-9 ]/.test(typed)) return say("Digits only, with a space between two rows.");
    if (waiting.length) answer(typed || waiting[0].prediction);
  });
  $("answer").addEventListener("input", () => ($("answer").value = $("answer").value.replace(/[^0-9 ]/g, "")));
  for (const label of labels) label.addEventListener("click", () => answer(label.dataset.label));
  $("not").addEventListener("click", () => answer("x"));
  $("back").addEventListener("click", undo);
  $("help").addEventListener("click", toggleKeys);
  $("who").value = remembered();
  $("who").addEventListener("change", () => {
    try {
      localStorage.setItem("who", $("who").value.trim());
    } catch {
      say("This browser does not store your name.");
    }
  });
  fill();
}

if ($("review")) review();
