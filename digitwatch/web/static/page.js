// What every page has, live readings, uploads, and what the model saw.
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
  const counts = { ...numbers.today, waiting: numbers.waiting, open: numbers.review };
  for (const place of document.querySelectorAll("[data-count]")) {
    place.textContent = counts[place.dataset.count];
    if (place.classList.contains("badge")) place.hidden = !numbers.review;
  }
  $("problem").textContent = numbers.problem && `Problem: ${numbers.problem}`;
  $("problem").hidden = !numbers.problem;
}

$("leave")?.addEventListener("click", async () => {
  await send("/logout", "");
  location.assign("/login");
});

// --- the connection ---

const LOST_MS = 5000; // without a sign of life; the server sends one every two seconds
let lastAlive = Date.now();

function isAlive() {
  lastAlive = Date.now();
  $("lost").hidden = true;
}

function watchConnection() {
  if (Date.now() - lastAlive <= LOST_MS || !$("lost").hidden) return;
  const shape = { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" };
  const time = new Date(lastAlive).toLocaleTimeString([], shape);
  $("lost").textContent = `No connection to digitwatch: what is shown here was true at ${time}, and nothing can be saved.`;
  $("lost").hidden = false;
}

if (proof) setInterval(watchConnection, 500);

// --- the list, live ---

const list = $("readings");
const MOST = 200; // readings kept in a page that stays open

async function fetchList(before) {
  const query = new URLSearchParams(list.dataset.query);
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
  if (list.dataset.query) return tellMany(1); // whether it belongs here only the server knows
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
  const on = (kind, act) =>
    source.addEventListener(kind, (event) => {
      isAlive();
      act(event);
    });
  on("alive", () => {});
  on("counts", (event) => showCounts(JSON.parse(event.data)));
  source.addEventListener("error", () => source.readyState === EventSource.CLOSED && setTimeout(listen, 5000));
  if (!list) return;
  on("reading", (event) => addReading(JSON.parse(event.data)));
  on("many", (event) => tellMany(Number(event.data)));
  on("reload", reload);
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

// --- the filters of the list ---

if ($("more-filters") && !list.dataset.query && matchMedia("(max-width: 36em)").matches) $("more-filters").open = false;

// --- uploads ---

async function upload(file, place) {
  for (let attempt = 0; attempt < 30; attempt++) {
    const answer = await send("/upload", file, {
      "X-File-Name": encodeURIComponent(file.name),
      "Content-Type": "application/octet-stream",
    }).catch(() => null);
    if (!answer) return (place.textContent = `${file.name}: no connection`);
    if (answer.status !== 429 && answer.status !== 503) {
      const said = await answer.json().catch(() => ({ problem: answer.status }));
      return (place.textContent = answer.ok ? `${said.file}: in the inbox` : `${file.name}: ${said.problem}`);
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
  const found = answer?.ok ? await answer.json() : { problem: failed };
  if (found.problem) return place.replaceChildren(cell("p", `Not possible: ${found.problem}.`));
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
