// Calls and webhooks, the latest on top, each with its buttons.

import { whole } from "./whole.js";
import { ask, clockTime, element, find, made, painter, put } from "./tools.js";

const SHOWN = 150; // lines in the document; older ones are still kept by the simulator
const ACTIONS = [
  ["replay", "Replay", "Send the very bytes of the last try again"],
  ["duplicate", "Duplicate", "Deliver the event once more, signed anew"],
  ["hold", "Hold", "Keep the next try until released"],
  ["release", "Release", "Send it now"],
  ["reorder", "Reorder", "Let another webhook go first"],
  ["sign-wrongly", "Sign wrongly", "Send it now with a signature that does not fit"],
];
const FIT = {
  hold: (one) => one.state === "due",
  release: (one) => one.state === "held",
  reorder: (one) => one.state === "due" || one.state === "held",
  replay: (one) => one.made > 0,
  duplicate: (one) => one.state !== "dropped",
  "sign-wrongly": (one) => one.state !== "dropped",
};
const GOOD = new Set(["delivered", "under way", "due"]);

const entries = new Map(); // id -> {told, line}
const draw = painter((id) => render(entries.get(id)));

export function begin(state) {
  find("#kept-entries").textContent = state.kept.entries;
  find("#kept-attempts").textContent = state.kept.attempts;
  entries.clear();
  find("#entries").replaceChildren();
  find("#nothing").hidden = state.timeline.length > 0;
  for (const one of state.timeline.slice(-SHOWN)) entry(one);
}

export function entry(told) {
  const known = entries.get(told.id);
  if (known) known.told = told;
  else entries.set(told.id, { told, line: null });
  if (entries.size > SHOWN) forget(entries.keys().next().value);
  find("#nothing").hidden = true;
  draw(told.id);
}

function forget(id) {
  entries.get(id).line?.remove();
  entries.delete(id);
}

function render(one) {
  if (!one) return;
  if (!one.line) {
    one.line = created(one);
    find("#entries").prepend(one.line);
  }
  const { told, line } = one;
  const call = told.type === "call";
  find(".what", line).textContent = told.title;
  const good = call ? told.status >= 200 && told.status < 300 : GOOD.has(told.state);
  const waits = told.state === "held" || (told.state === "due" && told.made > 0);
  line.dataset.tone = waits ? "held" : good ? "good" : "bad";
  put(find(".status", line), call ? told.answer : told.state);
  put(find(".why", line), call ? told.why : webhookWords(told));
  for (const button of line.querySelectorAll("[data-action]")) {
    button.disabled = !FIT[button.dataset.action](told);
  }
  if (find("details", line).open) whole(line, told);
}

function webhookWords(told) {
  const last = told.attempts.at(-1);
  const words = [];
  if (told.why) words.push(told.why);
  if (last) {
    words.push(...last.marks, `try ${last.number}: ${last.answer}`);
    if (last.took !== null) words.push(`${Math.round(last.took * 1000)} ms`);
  }
  if (told.next_at) words.push(`next at ${clockTime(told.next_at)}`);
  return words.join(", ");
}

function created(one) {
  const { told } = one;
  const line = made("entry");
  line.dataset.type = told.type;
  line.dataset.id = told.id;
  find("time", line).textContent = clockTime(told.at);
  const call = told.type === "call";
  find(".carrier", line).textContent = call ? `app → ${told.carrier}` : `${told.carrier} → app`;
  find("details", line).addEventListener("toggle", () => {
    if (find("details", line).open) whole(line, one.told);
  });
  const actions = find(".actions", line);
  if (call) actions.remove();
  else {
    actions.setAttribute("aria-label", `Webhook ${told.id}, ${told.title}`);
    actions.append(...ACTIONS.map(([action, words, title]) => {
      const button = element("button", words);
      button.type = "button";
      button.title = title;
      button.dataset.action = action;
      button.addEventListener("click", () => ask(`webhooks/${told.id}/${action}`));
      return button;
    }));
  }
  return line;
}

for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => {
    find("#entries").dataset.show = button.dataset.show;
    for (const one of document.querySelectorAll("[data-show]")) {
      if (one.tagName === "BUTTON") one.setAttribute("aria-pressed", String(one === button));
    }
  });
}
