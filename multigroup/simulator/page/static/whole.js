// All that was said in one call or webhook, asked for when its line is opened.

import { clockTime, element, find } from "./tools.js";

export async function whole(line, told) {
  const place = find(".whole", line);
  const version = JSON.stringify(told);
  if (place.dataset.version === version) return;
  place.dataset.version = version;
  const answer = await fetch(`/api/timeline/${told.id}`);
  const said = await answer.json();
  if (!answer.ok) place.replaceChildren(element("p", said.error));
  else place.replaceChildren(...(said.type === "call" ? call(said) : webhook(said)));
}

function call(said) {
  return [
    part("The application asked", request(said.request)),
    part("The carrier answered", said.reply ? reply(said.reply) : said.answer),
  ];
}

function webhook(said) {
  if (!said.attempts.length) return [element("p", "Nothing was sent yet.")];
  return said.attempts.toReversed().flatMap((one) => {
    const marks = one.marks.length ? ` (${one.marks.join(", ")})` : "";
    return [
      element("h3", `Try ${one.number}${marks}, ${clockTime(one.at)}`),
      part("The carrier posted", request(one.request)),
      part(`What was signed${one.signing.key ? `, by ${one.signing.key}` : ""}`, one.signing.text || "nothing"),
      part("The application answered", one.reply ? reply(one.reply) : one.answer),
    ];
  });
}

function part(title, text) {
  const box = element("section", "", "part");
  const pre = element("pre", text);
  pre.tabIndex = 0;
  pre.setAttribute("aria-label", title);
  box.append(element("p", title, "title"), pre);
  return box;
}

const head = (headers) => headers.map(([name, value]) => `${name}: ${value}`).join("\n");

function request(one) {
  return `${one.method} ${one.url}\n${head(one.headers)}\n\n${tidy(one.body)}`;
}

function reply(one) {
  return `${one.status}\n${head(one.headers)}\n\n${tidy(one.body)}`.trim();
}

// Laid out for reading; what was signed stands beside it as it was.
function tidy(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
