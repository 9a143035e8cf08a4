// Listens to the stream of changes and hands each to the panel it concerns.

import * as faults from "./faults.js";
import * as phones from "./phones.js";
import * as settings from "./settings.js";
import * as timeline from "./timeline.js";
import { clockTime, element, find, put, ask, spoken } from "./tools.js";

const HANDLERS = {
  message: (change) => phones.message(change.thread, change.message),
  phone: (change) => phones.phone(change.phone),
  entry: (change) => timeline.entry(change.entry),
  faults: (change) => faults.show(change.faults),
  clock: (change) => clock(change.clock),
};

function clock(told) {
  find("#clock").hidden = !told.stepped;
  find("#clock time").textContent = clockTime(told.now);
}

function carriers(all) {
  find("#carriers").replaceChildren(...all.map((one) => {
    const numbers = one.numbers.map(spoken).join(", ") || "no number";
    return element("span", `${one.name}: ${numbers}`, "chip");
  }));
}

function state(all) {
  clock(all.clock);
  carriers(all.carriers);
  phones.begin(all);
  timeline.begin(all);
  faults.begin(all);
  settings.begin(all.carriers);
}

const stream = new EventSource("/api/events");
stream.addEventListener("open", () => put(find("#connection"), "Live"));
stream.addEventListener("error", () => put(find("#connection"), "Lost; trying again…"));
stream.addEventListener("state", (event) => state(JSON.parse(event.data)));
stream.addEventListener("changes", (event) => {
  for (const change of JSON.parse(event.data)) {
    for (const kind of Object.keys(change)) HANDLERS[kind]?.(change);
  }
});
addEventListener("pagehide", () => stream.close());

find("#clock").addEventListener("submit", (event) => {
  event.preventDefault();
  ask("clock", { seconds: Number(event.target.seconds.value) });
});
