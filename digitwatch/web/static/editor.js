// The editor of form templates. Needs page.js and editor_sheet.js.
"use strict";

const OWN = ["example", "blank", "fields"]; // of a template; others are kept as they are

const edited = { fields: [], further: {}, example: null, found: [], current: null };
const past = []; // earlier fields, as JSON
let isDirty = false;

const sheet = new Sheet($("sheet"), {
  change(isRepeat = false) {
    if (!isRepeat) past.push(JSON.stringify(edited.fields));
    isDirty = true;
  },
  draw,
  add,
  remove,
  select(field) {
    edited.current = field;
    draw();
  },
  enter: (field) => rowOf(field).querySelector("[data-key=name]").select(),
});

function problem(text) {
  $("template-problem").textContent = text || "";
  $("template-problem").hidden = !text;
}

// --- the fields ---

const rowOf = (field) => $("field-list").children[edited.fields.indexOf(field)];

function add(box, name = nextName()) {
  const field = { name, box: inside(box) };
  edited.fields.push(field);
  edited.current = field;
  draw();
  return field;
}

function nextName() {
  let number = edited.fields.length + 1;
  while (edited.fields.some((field) => field.name === `field${number}`)) number += 1;
  return `field${number}`;
}

function remove(field) {
  const place = edited.fields.indexOf(field);
  edited.fields.splice(place, 1);
  edited.current = edited.fields[Math.min(place, edited.fields.length - 1)] || null;
  draw();
  if (edited.current) sheet.elements.get(edited.current).focus({ preventScroll: true });
  else $("add-box").focus();
}

function undo() {
  if (!past.length) return say("There is nothing to undo.");
  edited.fields = JSON.parse(past.pop());
  edited.current = null;
  draw();
}

function draw() {
  sheet.show(edited.fields, edited.current);
  const list = $("field-list");
  while (list.children.length > edited.fields.length) list.lastElementChild.remove();
  edited.fields.forEach((field, k) => showRow(list.children[k] || newRow(), field));
  $("no-fields").hidden = edited.fields.length > 0;
  $("undo-box").disabled = !past.length;
  $("use-found").textContent = edited.found.length ? `Use the ${edited.found.length} boxes found` : "No more boxes found";
  $("use-found").disabled = !edited.found.length;
}

function newRow() {
  const row = $("field-row").content.firstElementChild.cloneNode(true);
  const field = () => edited.fields[[...$("field-list").children].indexOf(row)];
  for (const input of row.querySelectorAll("[data-key]")) {
    input.addEventListener("focus", () => sheet.acts.select(field()));
    input.addEventListener("input", () => {
      sheet.acts.change(true);
      field()[input.dataset.key] = input.type === "checkbox" ? input.checked : input.value.trim();
      draw();
    });
  }
  row.querySelector("[data-remove]").addEventListener("click", () => {
    sheet.acts.change();
    remove(field());
  });
  $("field-list").append(row);
  return row;
}

function showRow(row, field) {
  row.classList.toggle("current", field === edited.current);
  for (const input of row.querySelectorAll("[data-key]")) {
    const value = field[input.dataset.key] ?? "";
    if (input.type === "checkbox") input.checked = Boolean(value);
    else if (document.activeElement !== input) input.value = value;
  }
}

// --- the example ---

async function openExample(name, blob, template = {}) {
  problem("");
  $("start").textContent = "The example is loading …";
  $("start").hidden = false;
  const answer = await send("/forms/process/boxes", blob).catch(() => null);
  const found = answer?.ok ? await answer.json() : { problem: "the server is busy, or the file is too large" };
  $("start").hidden = !found.problem;
  $("start").textContent = found.problem ? `Not possible: ${found.problem}.` : "";
  if (found.problem) return;
  edited.example = { name, blob };
  edited.found = found.boxes;
  edited.further = Object.fromEntries(Object.entries(template).filter(([key]) => !OWN.includes(key)));
  edited.fields = template.fields || [];
  edited.current = null;
  past.length = 0;
  isDirty = false;
  $("template-blank").checked = Boolean(template.blank);
  $("template-name").value = name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "form";
  $("sheet-picture").src = found.page;
  $("editor").hidden = false;
  $("tried").replaceChildren();
  draw();
}

const plainName = (path) => path.split("/").pop().replace(/[^A-Za-z0-9_.-]+/g, "-") || "example";

async function fetchBlob(path) {
  const answer = await fetch(path).catch(() => null);
  if (answer?.ok) return answer.blob();
  say("The file is no longer there.");
  return null;
}

$("example-file").addEventListener("change", () => {
  const [file] = $("example-file").files;
  if (file) openExample(plainName(file.name), file);
});

$("example-scan").addEventListener("change", async () => {
  const { value, selectedOptions } = $("example-scan");
  const blob = value && (await fetchBlob(`/scan/${value}`));
  if (blob) openExample(plainName(selectedOptions[0].textContent), blob);
});

$("example-template").addEventListener("change", async () => {
  const name = encodeURIComponent($("example-template").value);
  const answer = name && (await fetch(`/forms/template/${name}`).catch(() => null));
  const said = await answer?.json?.().catch(() => null);
  if (said?.problem) say(said.problem);
  const blob = said?.template && (await fetchBlob(`/forms/example/${name}`));
  if (!blob) return;
  await openExample(plainName(said.template.example), blob, said.template);
  $("template-name").value = said.name;
});

// --- the result ---

function number(text) {
  return text === "" || text === undefined || isNaN(text) ? text : Number(text);
}

function template() {
  const fields = edited.fields.map((field) => {
    const { name, box, ...others } = field;
    return { name, box, ...others, min: number(others.min), max: number(others.max) };
  });
  return { example: edited.example.name, blank: $("template-blank").checked, ...edited.further, fields };
}

const asJson = () => JSON.stringify({ name: $("template-name").value.trim(), template: template() });

async function ask(path, body) {
  problem("");
  const answer = await send(path, body).catch(() => null);
  if (answer?.ok) return answer;
  const said = await answer?.json().catch(() => null);
  problem(said?.problem || "the server is busy or gone: try again");
  return null;
}

function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

$("save-yaml").addEventListener("click", async () => {
  const answer = await ask("/forms/text", asJson());
  if (!answer) return;
  isDirty = false;
  download(`${$("template-name").value.trim()}.yaml`, await answer.blob());
});

$("save-example").addEventListener("click", () => download(edited.example.name, edited.example.blob));

function shown(page) {
  const figure = document.createElement("figure");
  const title = document.createElement("figcaption");
  const link = document.createElement("a");
  link.href = `/reading/${page.key}`;
  link.textContent = page.file + (page.page === "1" ? "" : `, page ${page.page}`);
  title.append(link, page.problem ? `: ${page.problem}` : "");
  figure.append(title);
  if (page.sheet) {
    const picture = document.createElement("img");
    picture.src = page.sheet;
    picture.alt = page.fields ? "The page with its fields as they were found" : "The page";
    figure.append(picture);
  }
  if (page.fields) figure.append(fieldTable(page.fields));
  return figure;
}

function fieldTable(fields) {
  const table = document.createElement("table");
  table.className = "fields";
  const head = table.createTHead().insertRow();
  for (const text of ["Field", "Value", "Status"]) head.append(Object.assign(cell("th", text), { scope: "col" }));
  const body = table.createTBody();
  for (const { name, text, status, reason } of fields) {
    const row = body.insertRow();
    row.append(Object.assign(cell("th", name), { scope: "row" }), cell("td", text || "–"), cell("td", reason ? `${status}: ${reason}` : status));
    row.cells[1].className = "value";
  }
  return table;
}

$("try").addEventListener("click", async () => {
  $("try").disabled = true;
  $("try").textContent = "Reading …";
  const answer = await ask("/forms/process/try", new Blob([asJson(), "\n", edited.example.blob]));
  const found = answer && (await answer.json());
  $("try").disabled = false;
  $("try").textContent = "Read the newest scans with it";
  if (!found) return;
  if (found.problem) return problem(found.problem);
  const title = found.pages.length ? "The newest scans, read with this template" : "No scan has been read yet";
  $("tried").replaceChildren(cell("h2", title), ...found.pages.map(shown));
  $("tried").scrollIntoView({ block: "nearest" });
});

$("use-found").addEventListener("click", () => {
  sheet.acts.change();
  for (const box of edited.found) add(box);
  edited.found = [];
  draw();
});
$("add-box").addEventListener("click", () => {
  sheet.acts.change();
  const pane = $("sheet-pane").getBoundingClientRect();
  const place = $("sheet").getBoundingClientRect();
  const middle = (pane.top - place.top + Math.min(pane.height, place.height) / 2) / place.height;
  sheet.elements.get(add([0.4, middle - 0.02, 0.2, 0.04])).focus({ preventScroll: true });
});
$("undo-box").addEventListener("click", undo);
for (const button of document.querySelectorAll("[data-size]")) {
  button.addEventListener("click", () => sheet.resize(Number(button.dataset.size)));
}
$("template").addEventListener("submit", (event) => event.preventDefault());
addEventListener("keydown", (event) => {
  if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.target.closest("input")) return;
  event.preventDefault();
  undo();
});
addEventListener("beforeunload", (event) => isDirty && event.preventDefault());
