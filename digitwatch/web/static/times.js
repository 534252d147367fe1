// Times in the zone that a person chose at the foot of the page; the log has UTC. Needs page.js.
"use strict";

const ownZone = (Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC").replace("Etc/", "");

function chosenZone() {
  const found = document.cookie.match(/(?:^|; )zone=([^;]*)/);
  return found ? decodeURIComponent(found[1]) : "";
}

function keepZone(name) {
  document.cookie = `zone=${encodeURIComponent(name)}; Path=/; Max-Age=31536000; SameSite=Lax`;
}

function formatIn(zone) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }); // as ISO 8601
}

function showTimes(format) {
  for (const place of document.querySelectorAll("time[datetime]:not([title])")) {
    const time = new Date(place.dateTime);
    if (isNaN(time)) continue;
    place.title = place.textContent; // in UTC, as it stands in the log
    place.textContent = format.format(time);
  }
}

function offset(zone) {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts();
  return parts.find((part) => part.type === "timeZoneName").value.replace("GMT", "UTC");
}

function setUpZone() {
  let zone = chosenZone();
  if (!zone) {
    keepZone(ownZone);
    if (ownZone !== "UTC" && chosenZone() === ownZone) return location.reload(); // the server counts days in it, too
    zone = "UTC";
  }
  let format;
  try {
    format = formatIn(zone);
  } catch {
    keepZone("UTC");
    return location.reload();
  }
  showTimes(format);
  if ($("readings")) new MutationObserver(() => showTimes(format)).observe($("readings"), { childList: true });
  for (const name of new Set([ownZone, "UTC", zone])) {
    const text = name === "UTC" ? name : `${name} (${offset(name)})`;
    $("zone").append(new Option(text, name, name === zone, name === zone));
  }
  $("zone").addEventListener("change", () => {
    keepZone($("zone").value);
    location.reload();
  });
}

if ($("zone")) setUpZone();
