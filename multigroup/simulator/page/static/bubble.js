// One message as a phone shows it, or the gap where it should be.

import { clockTime, element, find, made, put, spoken } from "./tools.js";

export function bubble(number, thread, message) {
  const one = made("bubble");
  one.dataset.id = message.id;
  const came = message.on.includes(number);
  // A second copy that one phone alone got is that phone's news, not the others' loss.
  if (!came && message.again && message.on.length < 2) one.hidden = true;
  const mine = message.sender === number;
  one.classList.add(mine ? "mine" : message.sender === thread.number ? "ours" : "theirs");
  if (!came) one.classList.add("missing");
  put(find(".who", one), came ? (mine ? "" : spoken(message.sender)) : "Never came to this phone");
  put(find(".subject", one), message.subject ?? "");
  put(find(".text", one), message.text);
  const again = came && message.again ? " · same text again" : "";
  put(find(".when", one), clockTime(message.at) + again);
  find(".when", one).classList.toggle("again", again !== "");
  find(".media", one).replaceChildren(...message.media.map(picture));
  return one;
}

// Only this page's own pictures are loaded. Others are named, and opened on a click.
function picture(url) {
  const link = document.createElement("a");
  link.href = /^https?:/.test(url) ? url : "#";
  link.target = "_blank";
  link.rel = "noreferrer noopener";
  if (url.startsWith(`${location.origin}/static/`)) {
    const image = document.createElement("img");
    image.src = url;
    image.alt = "Picture";
    link.append(image);
  } else {
    const name = url.split(/[?#]/)[0].split("/").pop() || url;
    link.append(element("span", "Picture", "kind"), element("span", name, "name"));
    link.className = "tile";
  }
  return link;
}
