// The call in the drawer has an address of its own (?call=...), so that it can be linked; it is brought up to date while
// the call goes on, and plays its recording from the place that somebody asks for.
"use strict";

const callDrawer = document.getElementById("drawer");
const CALL_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function sayCall(id) {
  const address = new URL(location.href);
  if (id) address.searchParams.set("call", id);
  else address.searchParams.delete("call");
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}

document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx.target !== callDrawer) return;
  const call = callDrawer.querySelector("[data-call]");
  if (!call) return;
  sayCall(call.dataset.call);
  callDrawer.scrollTop = 0;
  callDrawer.querySelector("#drawer-title").focus();
});

callDrawer.addEventListener("close", () => sayCall(""));

// The live stream changes the mark of a call whenever something happened to it.
new MutationObserver((changes) => {
  const mark = changes.find((change) => change.target.id.startsWith("mark-"));
  const call = callDrawer.querySelector("[data-call]");
  if (mark && call && mark.oldValue !== mark.target.dataset.version) window.htmx.trigger(call, "refresh");
}).observe(callDrawer, { attributes: true, attributeOldValue: true, attributeFilter: ["data-version"], subtree: true });

document.addEventListener("click", (event) => {
  const place = event.target instanceof Element && event.target.closest("[data-seek]");
  const audio = document.getElementById("call-audio");
  if (!place || !audio) return;
  const seek = () => { audio.currentTime = Number(place.dataset.seek); };
  if (audio.readyState > 0) seek();
  else audio.addEventListener("loadedmetadata", seek, { once: true });
  audio.play().catch(() => {});
});

document.addEventListener(
  "error",
  (event) => {
    if (event.target.id === "call-audio") document.getElementById("call-audio-problem").hidden = false;
  },
  true,
);

const linked = new URL(location.href).searchParams.get("call");
if (linked && CALL_ID.test(linked)) window.htmx.ajax("GET", `/calls/${linked}/drawer`, { target: "#drawer", swap: "innerHTML" });
else if (linked) sayCall("");
