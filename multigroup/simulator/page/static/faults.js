// Switches: which are on, and a form to turn another on.

import { ask, element, find, made, option } from "./tools.js";

const form = find("#fault");
let kinds = new Map();

export function begin(state) {
  const { answers, webhooks } = state.kinds;
  kinds = new Map([...answers, ...webhooks].map((one) => [one.kind, one]));
  form.carrier.replaceChildren(...state.carriers.map((one) => option(one.name, one.name)));
  form.kind.replaceChildren(group("Answers to a send", answers), group("Webhooks", webhooks));
  fit();
  show(state.faults);
}

function group(label, some) {
  const one = element("optgroup");
  one.label = label;
  one.append(...some.map((kind) => option(kind.kind, kind.label)));
  return one;
}

function fit() {
  const kind = kinds.get(form.kind.value);
  if (!kind) return;
  find("#fault-when").hidden = kind.when.length < 2;
  find("#fault-seconds").hidden = kind.seconds === null;
  find("#fault-count").hidden = kind.kind === "held" || kind.kind === "outage";
  form.seconds.value = kind.seconds ?? "";
}

export function show(faults) {
  find("#all-well").hidden = faults.active.length > 0;
  find("#active").replaceChildren(...faults.active.map((one) => {
    const line = made("active-fault");
    const words = words_of(one);
    find("span", line).textContent = words;
    const button = find("button", line);
    button.setAttribute("aria-label", `Switch off: ${words}`);
    button.addEventListener("click", () => ask(`faults/${one.id}/off`));
    return line;
  }));
}

function words_of(one) {
  const words = [`${one.carrier}: ${one.label}`];
  if (one.when && kinds.get(one.kind).when.length > 1) words.push(`${one.when} acceptance`);
  if (one.seconds !== null) words.push(`${one.seconds} s`);
  if (one.count !== null) words.push(one.count === 1 ? "once" : `${one.count} times`);
  return words.join(", ");
}

form.kind.addEventListener("change", fit);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = { carrier: form.carrier.value, kind: form.kind.value };
  const kind = kinds.get(fields.kind);
  if (kind.when.length > 1) fields.when = form.when.value;
  if (kind.seconds !== null) fields.seconds = Number(form.seconds.value);
  if (form.count.value && !find("#fault-count").hidden) fields.count = Number(form.count.value);
  ask("faults", fields);
});
