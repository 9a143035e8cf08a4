// Small helpers that every panel uses. Text goes in by textContent only.

export const find = (selector, root = document) => root.querySelector(selector);

export function made(template) {
  return document.getElementById(template).content.firstElementChild.cloneNode(true);
}

export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}

export function element(name, text = "", kind = "") {
  const one = document.createElement(name);
  one.textContent = text;
  if (kind) one.className = kind;
  return one;
}

export function option(value, text) {
  const one = element("option", text);
  one.value = value;
  return one;
}

export function clockTime(stamp) {
  return new Date(stamp).toLocaleTimeString([], { hour12: false });
}

// +14155550101 reads as (415) 555-0101; other numbers stay as they are.
export function spoken(number) {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  return parts ? `(${parts[1]}) ${parts[2]}-${parts[3]}` : number;
}

export async function ask(path, fields = {}) {
  const trouble = find("#trouble");
  try {
    const answer = await fetch(`/api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(fields),
    });
    const document = await answer.json();
    put(trouble, answer.ok ? "" : document.error);
    return answer.ok ? document : null;
  } catch {
    put(trouble, "The simulator does not answer. Is it still running?");
    return null;
  }
}

// Gathers the names of what is to be drawn, and draws each once per frame.
export function painter(draw) {
  const waiting = new Set();
  return (name) => {
    if (waiting.size === 0) {
      requestAnimationFrame(() => {
        const names = [...waiting];
        waiting.clear();
        for (const one of names) draw(one);
      });
    }
    waiting.add(name);
  };
}
