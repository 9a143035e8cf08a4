// One phone: its threads, the bubbles of the one shown, and the line to write in.

import { bubble } from "./bubble.js";
import { ask, element, find, made, option, put, spoken } from "./tools.js";

const REASONS = {
  carrier_down: "no: its carrier is down",
  expired: "no: messages expire on the way",
  landline: "no: it is a landline",
  not_registered: "no: our number is not registered",
  spam: "no: taken for spam",
  unreachable: "no: switched off",
};

export function create(number, known, redraw) {
  const root = made("handset");
  const phone = { number, root, redraw, threads: new Map(), shown: null, drawn: null };
  find("h3", root).textContent = spoken(number);
  root.setAttribute("aria-label", `Phone ${spoken(number)}`);
  find(".threads", root).setAttribute("aria-label", `Threads on ${spoken(number)}`);
  find(".screen", root).setAttribute("aria-label", `Messages on ${spoken(number)}`);
  find("form [name=text]", root).setAttribute("aria-label", `Text from ${spoken(number)}`);
  setup(phone, known);
  writing(phone);
  return phone;
}

function setup(phone, known) {
  const { root } = phone;
  const failing = find("[name=failing]", root);
  failing.append(option("", "yes"));
  for (const one of known.failing) failing.append(option(one, REASONS[one] ?? `no: ${one}`));
  const change = (fields) => ask(`phones/${encodeURIComponent(phone.number)}`, fields);
  failing.addEventListener("change", () => change({ failing: failing.value || null }));
  const onNet = find("[name=on_net]", root);
  onNet.addEventListener("change", () => change({ on_net: onNet.checked }));
  for (const carrier of known.carriers) {
    const label = element("label", "", "tick");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.name = `out-${carrier.name}`;
    label.append(box, ` ${carrier.name}`);
    box.addEventListener("change", () => change({ opted_out: { [carrier.name]: box.checked } }));
    find("fieldset", root).append(label);
  }
}

export function set(phone, told) {
  const { root } = phone;
  find("[name=failing]", root).value = told.failing ?? "";
  find("[name=on_net]", root).checked = told.on_net;
  for (const box of root.querySelectorAll("fieldset input")) {
    box.checked = told.opted_out.includes(box.name.slice(4));
  }
  const words = told.opted_out.map((one) => `opted out of ${one}`);
  if (told.failing) words.unshift(`not reached: ${told.failing.replaceAll("_", " ")}`);
  put(find(".state", root), words.join(", "));
}

export function take(phone, thread, message, fresh) {
  const came = message.on.includes(phone.number);
  const known = phone.threads.get(thread.id) ?? { thread, unread: 0 };
  phone.threads.set(thread.id, known);
  if (fresh && thread.id !== phone.shown && came) known.unread += 1;
  if (phone.shown === null) phone.shown = thread.id;
  // Nobody is writing: show where the news is, as a phone's notification would.
  const idle = find("form [name=text]", phone.root).value === "" && !phone.root.contains(document.activeElement);
  if (fresh && came && idle) show(phone, thread.id);
}

function show(phone, id) {
  phone.shown = id;
  const known = phone.threads.get(id);
  if (known) known.unread = 0;
}

export function draw(phone) {
  if (!phone?.threads.size) return;
  drawTabs(phone);
  const { thread } = phone.threads.get(phone.shown);
  const screen = find(".screen", phone.root);
  const atEnd = screen.scrollHeight - screen.scrollTop - screen.clientHeight < 60;
  if (phone.drawn !== thread.id) screen.replaceChildren();
  fill(phone, screen, thread);
  if (atEnd || phone.drawn !== thread.id) screen.scrollTop = screen.scrollHeight;
  phone.drawn = thread.id;
}

// Bubbles are only ever added, replaced or dropped, never all made anew.
function fill(phone, screen, thread) {
  const there = new Map([...screen.children].map((one) => [one.dataset.id, one]));
  let before = null;
  for (const message of thread.messages.values()) {
    const look = `${message.on.includes(phone.number)} ${message.on.length > 1}`;
    let one = there.get(message.id);
    there.delete(message.id);
    if (one?.dataset.look !== look) {
      const fresh = bubble(phone.number, thread, message);
      fresh.dataset.look = look;
      one ? one.replaceWith(fresh) : screen.insertBefore(fresh, before ? before.nextSibling : screen.firstChild);
      one = fresh;
    }
    before = one;
  }
  for (const gone of there.values()) gone.remove();
}

function drawTabs(phone) {
  const tabs = find(".threads", phone.root);
  tabs.replaceChildren(...[...phone.threads.values()].map(({ thread, unread }) => {
    const tab = element("button", "", "thread");
    tab.type = "button";
    tab.title = `${[...thread.members].map(spoken).join(", ")}, from ${spoken(thread.number)}`;
    tab.setAttribute("aria-pressed", String(thread.id === phone.shown));
    tab.append(element("span", who(phone, thread), "with"), element("span", `from ${thread.number.slice(-4)}`, "by"));
    if (unread) tab.append(element("span", `${unread} new`, "unread"));
    tab.addEventListener("click", () => {
      show(phone, thread.id);
      phone.redraw();
    });
    return tab;
  }));
  put(find(".apart", phone.root), apart(phone));
}

function who(phone, thread) {
  const others = thread.members.filter((one) => one !== phone.number);
  if (!others.length) return "Just you";
  return `With ${others.map((one) => one.slice(-4)).join(", ")}`;
}

// Groups by one of our numbers that share people but are not the same: a wrong roster.
function apart(phone) {
  const groups = [...phone.threads.values()].map((one) => one.thread).filter((one) => one.members.length > 1);
  for (const first of groups) {
    const parts = groups.filter((one) => one.number === first.number && shared(one, first, phone.number));
    if (parts.length > 1) return `This group fell apart into ${parts.length} threads: the lists of members differ.`;
  }
  return "";
}

function shared(one, other, number) {
  return one === other || one.members.some((each) => each !== number && other.members.includes(each));
}

function writing(phone) {
  const form = find("form", phone.root);
  const attach = find(".attach", form);
  const panel = find(".picture", form);
  attach.addEventListener("click", () => {
    panel.hidden = !panel.hidden;
    attach.setAttribute("aria-expanded", String(!panel.hidden));
  });
  find(".sample", form).addEventListener("click", () => {
    form.media.value = `${location.origin}/static/sample.png`;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const media = form.media.value ? [form.media.value] : [];
    const fields = { text: form.text.value, media, thread: phone.shown };
    if (await ask(`phones/${encodeURIComponent(phone.number)}/reply`, fields)) {
      form.reset();
      panel.hidden = true;
      attach.setAttribute("aria-expanded", "false");
      form.text.focus();
    }
  });
}
