// Keeps the page live: whenever something changed, the page is fetched again and only what differs is touched.
// The server renders every word once; this file knows nothing of campaigns.
"use strict";

const main = document.getElementById("main");
const linkState = document.getElementById("link-state");
const STREAM_REST = 400; // at most one fetch in so many milliseconds while a stream reports changes
const FALLBACK = 30000; // while the stream is broken

let timer = 0;
let isFetching = false;
let isWanted = false;

function say(text) {
  linkState.textContent = text;
  linkState.hidden = !text;
}

function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) return from.replaceWith(to.cloneNode(true));
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return undefined;
  }
  if (from.nodeType !== Node.ELEMENT_NODE || from.isEqualNode(to)) return undefined;
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  return morphChildren(from, to);
}

function morphChildren(from, to) {
  const byId = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  const wantedIds = new Set([...to.children].map((child) => child.id).filter(Boolean));
  let place = from.firstChild;
  for (const wanted of to.childNodes) {
    while (place && place.id && !wantedIds.has(place.id)) place = dropped(place);
    const known = wanted.id && byId.get(wanted.id);
    if (known) {
      if (known === place) place = place.nextSibling;
      else from.insertBefore(known, place);
      morph(known, wanted);
    } else if (place && !place.id && !wanted.id) {
      const next = place.nextSibling;
      morph(place, wanted);
      place = next;
    } else {
      const added = wanted.cloneNode(true);
      if (added.classList) added.classList.add("is-new");
      from.insertBefore(added, place);
    }
  }
  while (place) place = dropped(place);
}

function dropped(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

async function refresh() {
  if (isFetching) {
    isWanted = true;
    return;
  }
  isFetching = true;
  isWanted = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    morph(main, page.getElementById("main"));
    document.title = page.title;
    if (linkState.dataset.kind === "fetch") report("", "");
  } catch {
    report("fetch", "The server does not answer; trying again.");
  } finally {
    isFetching = false;
  }
  if (isWanted) soon(STREAM_REST);
  return undefined;
}

function report(kind, text) {
  linkState.dataset.kind = kind;
  say(text);
}

function soon(milliseconds) {
  if (timer) return;
  timer = setTimeout(() => {
    timer = 0;
    refresh();
  }, milliseconds);
}

// A stream where the page names one, else polling; neither while the tab is hidden.
let stream = null;
let poll = 0;

function every(milliseconds) {
  clearInterval(poll);
  poll = milliseconds ? setInterval(refresh, milliseconds) : 0;
}

function connect() {
  const address = main.dataset.events;
  const rhythm = Number(main.dataset.every || 0);
  if (!address || !window.EventSource) return every(rhythm);
  stream = new EventSource(address);
  stream.onopen = () => {
    every(rhythm);
    report("", "");
    soon(0);
  };
  stream.onerror = () => {
    every(FALLBACK);
    report("stream", "The live stream is interrupted; figures are brought up to date every 30 seconds.");
    if (stream.readyState === EventSource.CLOSED) setTimeout(reconnect, 5000);
  };
  const changed = () => soon(STREAM_REST);
  stream.onmessage = changed;
  for (const name of (main.dataset.eventNames || "").split(" ").filter(Boolean)) stream.addEventListener(name, changed);
  return undefined;
}

function disconnect() {
  every(0);
  if (stream) stream.close();
  stream = null;
}

function reconnect() {
  disconnect();
  if (!document.hidden) connect();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return disconnect();
  refresh();
  return reconnect();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-post]");
  if (!button || (button.dataset.ask && !confirm(button.dataset.ask))) return;
  button.disabled = true;
  const token = document.querySelector('meta[name="csrf-token"]');
  try {
    const answer = await fetch(button.dataset.post, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": token ? token.content : "" },
      body: "{}",
    });
    if (!answer.ok) alert((await answer.json()).error.message);
  } catch {
    alert("The server does not answer; nothing was changed.");
  } finally {
    button.disabled = false;
    refresh();
  }
});

if (main.dataset.events || main.dataset.every) connect();
