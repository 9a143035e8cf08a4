// The phones, side by side: which there are, which thread each shows.

import * as handset from "./handset.js";
import { ask, find, option, painter, spoken } from "./tools.js";

const KEPT = 150; // bubbles on a screen
const phones = new Map(); // number -> handset
const threads = new Map(); // id -> {id, number, members, messages: Map}
let known = { failing: [], carriers: [] };

const draw = painter((number) => handset.draw(phones.get(number)));

export function begin(state) {
  known = { failing: state.kinds.failing, carriers: state.carriers };
  const ours = state.carriers.flatMap((one) => one.numbers);
  find("#first select").replaceChildren(...ours.map((one) => option(one, spoken(one))));
  threads.clear();
  phones.clear();
  find("#handsets").replaceChildren();
  for (const one of state.phones) phone(one);
  for (const one of state.threads) for (const each of one.messages) message(one, each);
  find("#nobody").hidden = phones.size > 0;
}

export function phone(told) {
  handset.set(phoneOf(told.number), told);
}

export function message(head, told) {
  if (!threads.has(head.id)) threads.set(head.id, { ...head, messages: new Map() });
  const thread = threads.get(head.id);
  const fresh = !thread.messages.has(told.id);
  thread.messages.set(told.id, told);
  if (thread.messages.size > KEPT) thread.messages.delete(thread.messages.keys().next().value);
  const ours = new Set(known.carriers.flatMap((one) => one.numbers));
  for (const number of thread.members) {
    if (ours.has(number)) continue;
    handset.take(phoneOf(number), thread, told, fresh);
    draw(number);
  }
}

function phoneOf(number) {
  if (!phones.has(number)) {
    const made = handset.create(number, known, () => draw(number));
    phones.set(number, made);
    const after = [...phones.keys()].filter((one) => one > number).sort()[0];
    find("#handsets").insertBefore(made.root, after ? phones.get(after).root : null);
    find("#nobody").hidden = true;
  }
  return phones.get(number);
}

find("#first form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const members = form.members.value.split(/[\s,]+/).filter(Boolean);
  const to = { number: form.number.value, members };
  const path = `phones/${encodeURIComponent(form.phone.value)}/reply`;
  if (await ask(path, { text: form.text.value, to })) {
    form.text.value = "";
    find("#first").open = false;
  }
});
