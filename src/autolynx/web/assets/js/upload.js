// The list of a new campaign: chosen or dropped, looked at, compressed if it is long, sent with progress, and given up at
// will. The server judges every row; where its requests are capped the file goes in parts. What is typed beside it stays in
// the page's address, so that reload, back and a new upload lose nothing.
"use strict";

(() => {
  const COMPRESS_FROM = 256 * 1024;
  const HEAD_BYTES = 8;
  const TRIES = 3;
  const ADDRESS_DELAY = 300;
  const JUDGING_DELAY = 300;
  const GZIP = "1f8b";
  const csrf = document.querySelector('meta[name="csrf-token"]');
  const drop = () => document.getElementById("drop");
  const form = () => document.getElementById("new-campaign");
  const part = (name) => drop().querySelector(name);
  let current = null; // what is being sent: {cancelled, request}

  // What is typed stays in the address -----------------------------------------------------------------------------------

  function address(changes) {
    const values = new URLSearchParams();
    for (const [name, value] of new FormData(form())) if (typeof value === "string") values.set(name, value);
    for (const [name, value] of Object.entries(changes || {})) {
      if (value === null) values.delete(name);
      else values.set(name, value);
    }
    values.delete("looked");
    for (const [name, value] of [...values]) if (value === "" && name !== "watch") values.delete(name);
    return `/campaigns/new?${values}`;
  }

  let later = 0;
  function keep(event) {
    if (!event.target.closest || !event.target.closest("#new-campaign") || event.target.type === "file") return;
    clearTimeout(later);
    later = setTimeout(() => form() && history.replaceState(history.state, "", address()), ADDRESS_DELAY);
  }
  document.addEventListener("input", keep);
  document.addEventListener("change", keep);

  // A refused form leads to what has to be mended.
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    if (!ctx.sourceElement || ctx.sourceElement.id !== "new-campaign" || !form()) return;
    nameRegions();
    const wrong = form().querySelector('[aria-invalid="true"]');
    if (wrong) wrong.focus();
  });

  // Choosing a file -------------------------------------------------------------------------------------------------------

  document.addEventListener("change", (event) => {
    if (event.target.id === "file" && event.target.files.length) take(event.target.files);
  });

  const bearsFile = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  let depth = 0;
  document.addEventListener("dragenter", (event) => {
    if (!drop() || !bearsFile(event)) return;
    depth += 1;
    document.body.classList.add("is-dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!drop() || !bearsFile(event)) return;
    depth = Math.max(0, depth - 1);
    if (!depth) document.body.classList.remove("is-dragging");
  });
  document.addEventListener("dragover", (event) => {
    if (drop() && bearsFile(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!drop() || !bearsFile(event)) return;
    event.preventDefault();
    depth = 0;
    document.body.classList.remove("is-dragging");
    take(event.dataTransfer.files);
  });

  function take(files) {
    if (current) return;
    if (files.length > 1) complain("Choose one file: a campaign calls one list.");
    else send(files[0]);
  }

  function complain(sentence) {
    const problem = document.getElementById("file-problem");
    problem.textContent = sentence;
    problem.hidden = !sentence;
    const input = document.getElementById("file");
    if (!input) return;
    input.value = "";
    if (sentence) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  // The same words as the server's, before anything is sent.
  async function objection(file) {
    const { limit, tooLarge, empty, foreign } = drop().dataset;
    if (!file.size) return empty;
    const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
    const head = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (file.size > Number(limit)) return tooLarge;
    const known = JSON.parse(foreign).find(([magic]) => head.startsWith(magic));
    return known ? known[1] : head.startsWith(GZIP) ? "zipped" : "";
  }

  // Sending it -------------------------------------------------------------------------------------------------------------

  class Refused extends Error {}
  class Cancelled extends Error {}

  async function send(file) {
    const sending = { cancelled: false, request: null };
    current = sending;
    complain("");
    try {
      const found = await objection(file).catch(() => "The file cannot be read; choose it again.");
      if (found && found !== "zipped") throw new Refused(found);
      show(file);
      phase("Sending…", 0);
      const body = found === "zipped" ? file : await compressed(file, sending);
      const uploadId = await deliver(body, file.name, sending);
      phase("Opening the preview…", 1);
      location.assign(address({ upload: uploadId, again: null, lately: null, region: region() }));
    } catch (error) {
      hide();
      if (error instanceof Refused) complain(error.message);
      else if (!(error instanceof Cancelled)) throw error;
      const input = document.getElementById("file");
      if (input) input.focus();
    } finally {
      if (current === sending) current = null;
    }
  }

  const region = () => {
    const choice = document.getElementById("region");
    return choice ? choice.value : "";
  };

  function show(file) {
    drop().classList.add("is-sending");
    part("[data-idle]").hidden = true;
    part(".sending").hidden = false;
    part("[data-file-name]").textContent = file ? file.name : "Your list";
    part("[data-file-size]").textContent = file ? sizeOf(file.size) : "";
    part("[data-cancel]").focus();
  }

  function hide() {
    drop().classList.remove("is-sending");
    part("[data-idle]").hidden = false;
    part(".sending").hidden = true;
  }

  function phase(text, share) {
    part("[data-phase]").textContent = text;
    const bar = part("progress");
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
  }

  document.addEventListener("click", (event) => {
    if (!current || !event.target.closest || !event.target.closest("[data-cancel]")) return;
    current.cancelled = true;
    if (current.request) current.request.abort();
  });

  async function compressed(file, sending) {
    if (file.size < COMPRESS_FROM || typeof CompressionStream === "undefined") return file;
    phase("Compressing…", 0);
    let read = 0;
    const counted = new TransformStream({
      transform(chunk, controller) {
        if (sending.cancelled) throw new Cancelled();
        read += chunk.byteLength;
        phase("Compressing…", read / file.size / 10);
        controller.enqueue(chunk);
      },
    });
    try {
      return await new Response(file.stream().pipeThrough(counted).pipeThrough(new CompressionStream("gzip"))).blob();
    } catch (error) {
      throw sending.cancelled ? new Cancelled() : new Refused("The file cannot be read; choose it again.");
    }
  }

  async function deliver(body, name, sending) {
    const most = Number(drop().dataset.partBytes);
    if (most && body.size > most) return inParts(body, name, most, sending);
    const data = new FormData();
    data.append("region", region());
    data.append("file", body, name);
    const answer = await ask(sending, "POST", "/api/uploads", data, (sent, whole) => sentSoFar(sent, whole));
    return judged(answer, 1, sending);
  }

  async function inParts(body, name, most, sending) {
    const wanted = JSON.stringify({ fileName: name, region: region() });
    const { uploadId } = await ask(sending, "POST", "/api/uploads/parts", wanted);
    const parts = Math.ceil(body.size / most);
    for (let number = 1; number <= parts; number += 1) {
      const begin = (number - 1) * most;
      const piece = body.slice(begin, begin + most);
      await insist(sending, "PUT", `/api/uploads/${uploadId}/parts/${number}`, piece, (sent) => sentSoFar(begin + sent, body.size));
    }
    phase("Reading the rows…", null);
    return judged(await ask(sending, "POST", `/api/uploads/${uploadId}/finish`, JSON.stringify({ parts })), parts, sending);
  }

  // A function answers before all rows of a long list are read: it is asked again.
  async function judged(answer, parts, sending) {
    while (answer.status !== "ready") {
      phase(`Reading the rows: ${answer.report.totalRows.toLocaleString()} so far…`, null);
      await new Promise((resolve) => setTimeout(resolve, JUDGING_DELAY));
      answer = await ask(sending, "POST", `/api/uploads/${answer.uploadId}/finish`, JSON.stringify({ parts }));
    }
    return answer.uploadId;
  }

  function sentSoFar(sent, whole) {
    if (sent >= whole) phase("Reading the rows…", null);
    else phase(`Sent ${sizeOf(sent)} of ${sizeOf(whole)}`, sent / whole);
  }

  async function insist(sending, ...wanted) {
    for (let left = TRIES - 1; ; left -= 1) {
      try {
        return await ask(sending, ...wanted);
      } catch (error) {
        if (!left || !error.mayPass) throw error;
      }
    }
  }

  function ask(sending, method, url, body, progress) {
    return new Promise((resolve, reject) => {
      if (sending.cancelled) {
        reject(new Cancelled());
        return;
      }
      const request = new XMLHttpRequest();
      sending.request = request;
      request.open(method, url);
      if (csrf) request.setRequestHeader("X-CSRF-Token", csrf.content);
      if (typeof body === "string") request.setRequestHeader("Content-Type", "application/json");
      if (progress) request.upload.addEventListener("progress", (event) => progress(event.loaded, event.total));
      request.addEventListener("abort", () => reject(new Cancelled()));
      request.addEventListener("error", () => reject(passing("The connection broke while the file was sent. Try again.")));
      request.addEventListener("load", () => {
        if (request.status < 400) resolve(request.responseText ? JSON.parse(request.responseText) : {});
        else reject(refusal(request));
      });
      request.send(body);
    });
  }

  function passing(sentence) {
    const error = new Refused(sentence);
    error.mayPass = true;
    return error;
  }

  function refusal(request) {
    try {
      const error = new Refused(JSON.parse(request.responseText).error.message);
      error.mayPass = request.status >= 500;
      return error;
    } catch {
      return request.status === 413
        ? new Refused(drop().dataset.tooLarge)
        : passing("The server did not take the file. Try again in a moment.");
    }
  }

  function sizeOf(bytes) {
    if (bytes < 1024) return `${bytes} bytes`;
    return bytes < 1048576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
  }

  // What the page begins with ------------------------------------------------------------------------------------------------

  function nameRegions() {
    const names = new Intl.DisplayNames(undefined, { type: "region" });
    const choice = document.querySelector("select#region");
    if (!choice) return;
    const chosen = choice.value;
    for (const option of choice.options) option.textContent = names.of(option.value) + option.textContent.slice(2);
    choice.replaceChildren(...[...choice.options].sort((one, other) => one.text.localeCompare(other.text)));
    choice.value = chosen;
  }

  async function goOnReading() {
    const { judging, parts } = drop().dataset;
    const sending = { cancelled: false, request: null };
    current = sending;
    show(null);
    phase("Reading the rows…", null);
    try {
      const wanted = JSON.stringify({ parts: Number(parts) });
      await judged(await ask(sending, "POST", `/api/uploads/${judging}/finish`, wanted), Number(parts), sending);
      location.reload();
    } catch (error) {
      hide();
      if (error instanceof Refused) complain(error.message);
      else if (!(error instanceof Cancelled)) throw error;
    } finally {
      current = null;
    }
  }

  nameRegions();
  if (drop() && drop().dataset.judging) goOnReading();
})();
