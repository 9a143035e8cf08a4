// What to copy into a program: our library, and each official SDK.

import { element, find, made } from "./tools.js";

export function begin(carriers) {
  find("#snippets").replaceChildren(...carriers.flatMap((carrier) => [
    element("h3", carrier.name),
    ...carrier.settings.map((one) => snippet(carrier.name, one)),
  ]));
}

function snippet(carrier, one) {
  const box = made("snippet");
  find("summary", box).textContent = one.title;
  find("code", box).textContent = one.code;
  find("pre", box).setAttribute("aria-label", `${carrier}, ${one.title}`);
  const button = find("button", box);
  button.setAttribute("aria-label", `Copy: ${carrier}, ${one.title}`);
  button.addEventListener("click", async () => {
    button.textContent = (await copied(box, one.code)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return box;
}

async function copied(box, code) {
  try {
    await navigator.clipboard.writeText(code);
    return true;
  } catch { // not allowed, or served without TLS to another machine
    getSelection().selectAllChildren(find("code", box));
    return false;
  }
}
