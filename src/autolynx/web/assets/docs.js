"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function field(label, control) {
  return make("label", { className: "field" }, label, document.createElement("br"), control);
}

function resolve(spec, schema) {
  return schema && schema.$ref
    ? schema.$ref.split("/").slice(1).reduce((node, key) => node[key], spec)
    : schema;
}

function address(path, inputs) {
  const url = new URL(path, location.origin);
  let filled = path;
  for (const { parameter, input } of inputs) {
    if (parameter.in === "path") {
      filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    } else if (parameter.in === "query" && input.value) {
      url.searchParams.set(parameter.name, input.value);
    }
  }
  return filled + url.search;
}

async function send(method, path, inputs, body, output) {
  const headers = {};
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  for (const { parameter, input } of inputs) {
    if (parameter.in === "header" && input.value) headers[parameter.name] = input.value;
  }
  if (body && body.value) headers["Content-Type"] = body.dataset.type;
  output.textContent = "...";
  try {
    const answer = await fetch(address(path, inputs), {
      method: method.toUpperCase(),
      headers,
      body: body && body.value ? body.value : undefined,
    });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it came */ }
    output.textContent = `${answer.status} ${answer.statusText}\n\n${shown}`;
  } catch (error) {
    output.textContent = String(error);
  }
}

function operation(spec, path, method, described) {
  const inputs = (described.parameters || []).filter((one) => one.in !== "cookie").map((parameter) => ({
    parameter,
    input: make("input", { type: "text", required: Boolean(parameter.required) }),
  }));
  const content = described.requestBody && described.requestBody.content;
  const type = content && Object.keys(content)[0];
  const body = type && make("textarea", { spellcheck: false });
  if (body) {
    body.dataset.type = type;
    const schema = resolve(spec, content[type].schema);
    body.placeholder = Object.keys((schema && schema.properties) || {}).join(", ");
  }
  const output = make("pre", { ariaLive: "polite" });
  const form = make("form", {}, ...inputs.map(({ parameter, input }) => field(`${parameter.name} (${parameter.in})`, input)));
  if (body) form.append(field(`Body (${type})`, body));
  form.append(make("button", { type: "submit" }, "Send"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(method, path, inputs, body, output);
  });
  const title = make("summary", {}, make("span", { className: "method" }, method.toUpperCase()), `${path} - ${described.summary || ""}`);
  return make("details", {}, title, make("p", {}, described.description || ""), form, output);
}

async function show() {
  const place = document.getElementById("operations");
  const answer = await fetch("/api/openapi.json");
  const spec = await answer.json();
  const found = Object.entries(spec.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => operation(spec, path, method, item[method])));
  place.replaceChildren(...found);
}

show().catch((error) => { document.getElementById("operations").textContent = String(error); });
