// What every page needs beside htmx: the session's token on unsafe requests, dialogs, messages, times in the reader's
// zone, and what happens when the live stream breaks. Nothing here knows of campaigns.
"use strict";

const FALLBACK_MILLISECONDS = 30000;
const RECONNECT_MILLISECONDS = 5000;
const SILENCE_MILLISECONDS = 40000; // a living stream says something every 15 seconds
const TOAST_MILLISECONDS = 7000;
const UNDO_MILLISECONDS = 20000; // what can be taken back gives time to think
const byId = (id) => document.getElementById(id);

// Requests ----------------------------------------------------------------------------------------------------------

const token = document.querySelector('meta[name="csrf-token"]');
let pageTag = "";

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (token) ctx.request.headers["X-CSRF-Token"] = token.content;
  if (ctx.sourceElement && ctx.sourceElement.id === "refresh") {
    ctx.request.action = location.pathname + location.search;
    if (pageTag) ctx.request.headers["If-None-Match"] = pageTag;
  }
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement && ctx.sourceElement.id === "refresh") {
    pageTag = ctx.response.headers.get("ETag") || "";
    if (ctx.response.status >= 400) event.preventDefault(); // a page that fails to refresh is left as it is
  }
});

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  const source = ctx && ctx.sourceElement;
  if (source && (isLive(source) || source.id === "refresh")) return;
  say("The server did not answer. It may or may not have done what you asked: look before you try again.", "bad");
  refresh();
});

// A button is disabled while its request is under way, and so loses the focus: whoever works by keyboard gets it back,
// on the button, or beside it where the button is gone.
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  const source = ctx.sourceElement;
  // Without a swap of its own an answer still bears parts for the page: they come also where a live update has taken
  // the button away meanwhile.
  if (ctx.swap === "none" && source && !isLive(source)) ctx.target = byId("toasts");
  ctx.askedBy = source ? source.id : ""; // the element itself may be exchanged before the answer is there
  if (source && source === document.activeElement) ctx.focusNear = source.parentElement.closest("[id]");
});

document.addEventListener("htmx:finally:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.focusNear) setTimeout(() => giveFocusBack(ctx.sourceElement, ctx.focusNear.id));
});

// A live update that exchanges the button under somebody's fingers leaves the focus on its successor; one that takes it
// away, as the end of a campaign does, on what is next to its place.
let focused = null;
document.addEventListener("focusin", ({ target }) => { focused = target.id ? { id: target.id, near: nearOf(target) } : null; });
document.addEventListener("pointerdown", () => { focused = null; }, true); // what is clicked takes the focus, or nothing does
document.addEventListener("htmx:after:swap", () => {
  if (!focused || document.activeElement !== document.body) return;
  const successor = byId(focused.id);
  if (successor) successor.focus({ preventScroll: true });
  else if (focused.near) focusNear(focused.near);
});

function nearOf(element) {
  const near = element.closest("#page") && element.parentElement.closest("[id]");
  return near ? near.id : "";
}

function focusNear(id) {
  for (let near = byId(id); near; near = near.parentElement.closest("[id]")) {
    const there = near.querySelector(".actions button, .actions a, a, button");
    if (there) {
      there.focus({ preventScroll: true });
      return;
    }
  }
}

function giveFocusBack(source, nearId) {
  if (document.activeElement && document.activeElement !== document.body) return;
  // (Where the button itself is gone, the source is by now whatever the answer replaced.)
  const isThere = source.isConnected && !source.disabled && source.matches("a, button, input, select, textarea");
  if (isThere) source.focus({ preventScroll: true });
  else focusNear(nearId);
}

function say(text, tone) {
  const toast = document.createElement("div");
  toast.className = `toast ${tone}`;
  if (tone === "bad") toast.setAttribute("role", "alert");
  const line = document.createElement("p");
  line.textContent = text;
  toast.append(line);
  byId("toasts").append(toast);
}

new MutationObserver((changes) => {
  for (const change of changes) {
    for (const toast of change.addedNodes) {
      if (toast.nodeType !== Node.ELEMENT_NODE) continue;
      setTimeout(() => toast.remove(), toast.querySelector("[hx-post]") ? UNDO_MILLISECONDS : TOAST_MILLISECONDS);
    }
  }
}).observe(byId("toasts"), { childList: true });

// Dialogs: what is loaded into #dialog or #drawer is shown at once ------------------------------------------------------

document.addEventListener("htmx:after:swap", (event) => {
  localTimes();
  const target = event.detail.ctx.target;
  if (target instanceof HTMLDialogElement && target.childElementCount && !target.open) {
    target.dataset.opener = event.detail.ctx.askedBy || "";
    target.showModal();
  }
});

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  if (target.closest("[data-dismiss]")) target.closest(".toast").remove();
  if (target.closest("[data-close]")) target.closest("dialog").close();
  const opener = target.closest("[data-opens]");
  if (opener) byId(opener.dataset.opens).showModal();
  if (target instanceof HTMLDialogElement && isOutside(target, event)) target.close(); // on the backdrop
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target) || target.closest(".menu-items button, .menu-items a")) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A form with data-closes closes its dialog once the server has done what it asked for.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const form = ctx.sourceElement && ctx.sourceElement.closest("[data-closes]");
  if (form && ctx.response.status < 400) form.closest("dialog").close();
});

document.addEventListener(
  "close",
  (event) => {
    const dialog = event.target;
    if (!(dialog instanceof HTMLDialogElement)) return;
    if (!dialog.hasAttribute("data-kept")) dialog.replaceChildren();
    // What opened it may have been moved by a live update meanwhile: the browser then has lost whom to focus.
    const opener = dialog.dataset.opener && byId(dialog.dataset.opener);
    const shut = opener && opener.closest("details.menu:not([open])"); // it was chosen from a menu, which is shut by now
    if (opener) (shut ? shut.querySelector("summary") : opener).focus({ preventScroll: true });
  },
  true,
);

function isOutside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  return (x || y) && (x < box.left || x > box.right || y < box.top || y > box.bottom);
}

// Times: the document says them exactly, people read them in their own zone and words ------------------------------------

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const STEPS = [
  [60, "second", 1],
  [3600, "minute", 60],
  [86400, "hour", 3600],
  [86400 * 30, "day", 86400],
];
const words = new Intl.RelativeTimeFormat(undefined, { numeric: "always", style: "short" });

function relative(at, shownAs) {
  const seconds = (at - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 2 || (seconds > 0) === (shownAs === "ago")) return shownAs === "ago" ? "now" : "in a moment";
  const step = STEPS.find(([limit]) => size < limit);
  if (!step) return short.format(at);
  return words.format(Math.round(seconds / step[2]), step[1]);
}

function localTimes() {
  for (const time of document.querySelectorAll("time[data-as]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const text = time.dataset.as === "moment" ? short.format(at) : relative(at, time.dataset.as);
    if (time.textContent !== text) time.textContent = text;
    const whole = exact.format(at);
    if (time.title !== whole) time.title = whole;
  }
}

localTimes();
setInterval(() => document.hidden || localTimes(), 5000);

// The live stream: while it is broken the page is fetched every 30 seconds, and says so -----------------------------------

const streamState = byId("stream-state");
let fallback = 0;
let heardAt = Date.now();

function isLive(element) {
  return element instanceof Element && element.hasAttribute("data-live");
}

function refresh() {
  const element = byId("refresh");
  if (element && !document.hidden) window.htmx.trigger(element, "refresh");
}

function lost() {
  if (document.hidden || fallback) return;
  streamState.textContent = "The live stream is interrupted. Figures are brought up to date every 30 seconds until it is back.";
  streamState.hidden = false;
  document.body.dataset.stream = "lost";
  fallback = setInterval(refresh, FALLBACK_MILLISECONDS);
}

function found() {
  heardAt = Date.now();
  document.body.dataset.stream = "live";
  if (!fallback) return;
  clearInterval(fallback);
  fallback = 0;
  streamState.hidden = true;
  refresh();
}

document.addEventListener("htmx:sse:after:connection", found);
document.addEventListener("htmx:sse:before:message", () => { heardAt = Date.now(); });
document.addEventListener("htmx:sse:error", lost);
document.addEventListener("stale", refresh);
document.addEventListener("out", () => location.reload()); // signed out, or another role: the page of now, or the door

// What a page was about is deleted: the list takes its place, and what was said at the edge of the page stays.
document.addEventListener("gone", () => {
  window.htmx.ajax("GET", "/", { target: "#page", select: "#page", swap: "outerMorph", push: "true" });
});

// A stream that never began has to be begun anew by us; one that broke begins anew by itself.
for (const name of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(name, (event) => {
    const source = event.detail.ctx && event.detail.ctx.sourceElement;
    if (!isLive(source)) return;
    lost();
    setTimeout(() => source.isConnected && window.htmx.trigger(source, "reconnect"), RECONNECT_MILLISECONDS);
  });
}

// A connection that died without a word (another network, a laptop that slept) is noticed by its silence.
document.addEventListener("visibilitychange", () => { heardAt = Date.now(); });
setInterval(() => {
  const live = document.querySelector("[data-live]");
  if (!live || document.hidden || Date.now() - heardAt < SILENCE_MILLISECONDS) return;
  heardAt = Date.now();
  lost();
  const anew = live.cloneNode(true);
  live.replaceWith(anew);
  window.htmx.process(anew);
}, 5000);

// What a button copies stands in the element that it names.
document.addEventListener("click", (event) => {
  const button = event.target.closest && event.target.closest("[data-copies]");
  if (!button) return;
  navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent).then(() => {
    button.textContent = "Copied";
  });
});

// A button that fills a field with what is free: a name, where the one that was typed is taken.
document.addEventListener("click", (event) => {
  const button = event.target.closest && event.target.closest("[data-fills]");
  if (!button) return;
  const field = document.getElementById(button.dataset.fills);
  field.value = button.dataset.value;
  field.removeAttribute("aria-invalid");
  field.dispatchEvent(new Event("change", { bubbles: true }));
  field.focus();
  const problem = document.getElementById(`${field.id}-problem`);
  if (problem) problem.remove();
  button.parentElement.remove();
});
