"use strict";
// What all pages do.

const $ = (id) => document.getElementById(id);

function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

function makeButton(className, text, act) {
  const button = make("button", className, text);
  button.type = "button";
  button.onclick = act;
  return button;
}

const short = (version) => version.replace(/^sha256:/, "").slice(0, 12);
const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

// `3 min ago`, with the time itself to be looked at.
function makeTime(text) {
  const at = new Date(text);
  const seconds = (at - Date.now()) / 1000;
  const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]
    .find(([, size]) => Math.abs(seconds) >= size) || ["second", 1];
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
  const element = make("time", "", format.format(Math.round(seconds / size), unit));
  element.dateTime = text;
  element.title = at.toLocaleString();
  return element;
}

const duration = (milliseconds) => (milliseconds < 1000 ? milliseconds.toFixed(milliseconds < 10 ? 1 : 0) + " ms"
  : milliseconds < 120e3 ? (milliseconds / 1000).toFixed(1) + " s"
  : milliseconds < 7200e3 ? (milliseconds / 60e3).toFixed(1) + " min" : (milliseconds / 3600e3).toFixed(1) + " h");

// Requests ------------------------------------------------------------------

// A server with authentication wants to know who asks; the token stays in this tab. Then the page begins anew.
async function call(path, options = {}) {
  const token = sessionStorage.getItem("token");
  const headers = { ...options.headers, ...(token ? { Authorization: "Bearer " + token } : {}) };
  const answer = await fetch(path, { ...options, headers });
  if (answer.status === 401) {
    sessionStorage.removeItem("token");
    const problem = await answer.clone().json();
    askWho(token ? problem.detail : "");
  }
  return answer;
}

// What the API answers, or its problem document as the error's `problem`.
async function ask(path, method = "GET", body) {
  const answer = await call(path, {
    method,
    ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  });
  if (answer.status === 204) return null;
  const document = await answer.json();
  if (answer.ok) return document;
  throw Object.assign(new Error(document.detail), { problem: document });
}

// A part of a path: identifiers may have any character in them.
const part = (text) => encodeURIComponent(text);

// Reads server-sent events from a body: EventSource can neither POST nor say who asks.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    let end;
    while ((end = rest.indexOf("\n\n")) >= 0) {
      const event = { name: "message", data: "" };
      for (const line of rest.slice(0, end).split("\n")) {
        if (line.startsWith("event: ")) event.name = line.slice(7);
        if (line.startsWith("data: ")) event.data += line.slice(6);
      }
      rest = rest.slice(end + 2);
      if (event.data) yield { name: event.name, data: JSON.parse(event.data) };
    }
  }
}

// Dialogs -------------------------------------------------------------------

function makeDialog(title, ...content) {
  const form = make("form", "", make("h2", "", title), ...content);
  form.method = "dialog";
  const dialog = make("dialog", "", form);
  dialog.setAttribute("aria-label", title);
  document.body.append(dialog);
  return dialog;
}

function askWho(refusal) {
  if (!$("identity")) {
    const label = make("label", "", "Token or API key");
    label.htmlFor = "token";
    const field = make("input");
    Object.assign(field, { id: "token", type: "password", autocomplete: "off", required: true });
    const text = make("p");
    text.id = "refusal";
    text.setAttribute("role", "alert");
    const dialog = makeDialog("Who are you?", label, field, text, make("button", "chief", "Continue"));
    dialog.id = "identity";
    dialog.querySelector("h2").id = "identity-title";
    dialog.firstChild.onsubmit = () => {
      sessionStorage.setItem("token", field.value.trim());
      field.value = "";
      start();
    };
  }
  $("refusal").textContent = refusal;
  if (!$("identity").open) $("identity").showModal();
}

// Asks before something that cannot be taken back; the focus returns to where it was.
function confirmed(question, verb) {
  const no = make("button", "", "Cancel");
  const yes = make("button", "danger", verb);
  no.value = "";
  yes.value = "yes";
  no.autofocus = true;
  const dialog = makeDialog(question, make("div", "choices", no, yes));
  dialog.classList.add("question");
  dialog.showModal();
  return new Promise((done) => {
    dialog.onclose = () => {
      dialog.remove();
      done(dialog.returnValue === "yes");
    };
  });
}

// Calls ---------------------------------------------------------------------

function makeCall(call) {
  const summary = make("summary", "", "called ", make("code", "", call.name));
  const element = make("details", "call running", summary, make("h3", "", "arguments"),
    make("pre", "", JSON.stringify(call.arguments, null, 2)));
  element.dataset.id = call.id;
  return element;
}

function endCall(element, call) {
  element.className = call.error ? "call failed" : "call";
  element.firstChild.append(" · " + duration(call.duration_ms));
  element.append(make("h3", "", call.error ? "error" : "result"),
    make("pre", "", call.error ? call.error.message : String(JSON.stringify(call.result, null, 2))));
}

// Questions to people -------------------------------------------------------

let fieldCount = 0;

// The schema of an optional value, without the null that it may be.
function valueSchema(schema) {
  const choices = (schema.anyOf || schema.oneOf || []).filter((one) => one.type !== "null");
  return choices.length === 1 ? { ...schema, ...choices[0] } : schema;
}

function makeSelect(options, chosen) {
  const select = make("select", "", ...options.map(([value, text]) => {
    const option = make("option", "", text);
    option.value = value;
    return option;
  }));
  select.value = chosen;
  return select;
}

// The control of one value, and how it is read; undefined = left out. What cannot be read goes as it was written, and
// the server says what is wrong with it.
function makeControl(reference, isRequired) {
  const schema = valueSchema(reference);
  const type = [].concat(schema.type || []).find((one) => one !== "null");
  const preset = schema.default;
  const choices = schema.enum || ("const" in schema ? [schema.const] : null);
  if (choices) {
    const options = choices.map((one, index) => [String(index), pretty(one)]);
    const chosen = choices.findIndex((one) => JSON.stringify(one) === JSON.stringify(preset));
    const control = makeSelect([["", "—"], ...options], chosen < 0 ? "" : String(chosen));
    return [control, () => (control.value === "" ? undefined : choices[Number(control.value)])];
  }
  if (type === "boolean" && !isRequired && preset === undefined) {
    const control = makeSelect([["", "—"], ["true", "yes"], ["false", "no"]], "");
    return [control, () => (control.value === "" ? undefined : control.value === "true")];
  }
  if (type === "boolean") {
    const control = make("input");
    control.type = "checkbox";
    control.checked = preset === true;
    return [control, () => control.checked];
  }
  if (type === "integer" || type === "number") {
    const control = make("input");
    control.inputMode = type === "integer" ? "numeric" : "decimal";
    if (preset !== undefined) control.value = preset;
    return [control, () => {
      const text = control.value.trim();
      return text === "" ? undefined : Number.isFinite(Number(text)) ? Number(text) : text;
    }];
  }
  if (type === "string") {
    const isLong = schema.maxLength === undefined || schema.maxLength > 120;
    const control = make(isLong ? "textarea" : "input");
    if (isLong) control.rows = 2;
    if (schema.format === "date") control.type = "date";
    if (preset !== undefined) control.value = preset;
    return [control, () => (control.value === "" ? undefined : control.value)];
  }
  const control = make("textarea");
  control.rows = 3;
  control.placeholder = "JSON";
  control.spellcheck = false;
  if (preset !== undefined) control.value = pretty(preset);
  return [control, () => {
    try {
      return control.value.trim() === "" ? undefined : JSON.parse(control.value);
    } catch {
      return control.value;
    }
  }];
}

function limitsText(reference) {
  const schema = valueSchema(reference);
  const limits = [];
  if (schema.minimum !== undefined) limits.push("at least " + schema.minimum);
  if (schema.maximum !== undefined) limits.push("at most " + schema.maximum);
  if (schema.minLength > 1) limits.push("at least " + schema.minLength + " characters");
  if (schema.maxLength !== undefined) limits.push("at most " + schema.maxLength + " characters");
  return [schema.description, limits.join(", ")].filter(Boolean).join("; ");
}

function makeField(title, reference, isRequired) {
  const [control, read] = makeControl(reference, isRequired);
  control.id = "field-" + (fieldCount += 1);
  control.autocomplete = "off";
  const label = make("label", "", title);
  label.htmlFor = control.id;
  const isCheckbox = control.type === "checkbox";
  if (isRequired && !isCheckbox) {
    control.setAttribute("aria-required", "true");
    label.append(make("span", "must", " required"));
  }
  const about = make("div", "note", limitsText(reference));
  const fault = make("p", "fault");
  about.id = control.id + "-about";
  fault.id = control.id + "-fault";
  control.setAttribute("aria-describedby", about.id + " " + fault.id);
  const show = (message) => {
    fault.textContent = message;
    if (message) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  };
  const element = isCheckbox ? make("div", "field", make("div", "yes", control, label), about, fault)
    : make("div", "field", label, control, about, fault);
  return { element, control, read, show };
}

const capitalized = (word) => word.charAt(0).toUpperCase() + word.slice(1);

// A question as a form. `decided` is told what the API answers.
function makeApproval(approval, decided) {
  const form = make("form", "approval", make("h3", "", approval.title));
  form.noValidate = true;
  form.onsubmit = (event) => event.preventDefault();
  form.setAttribute("aria-label", approval.title);
  const about = make("div", "note", approval.agent + " asks");
  if (approval.roles.length) about.append(" somebody with the role " + approval.roles.join(" or "));
  if (approval.expires_at) about.append(" · until ", new Date(approval.expires_at).toLocaleString());
  form.append(about);
  if (approval.detail !== null) form.append(make("pre", "", pretty(approval.detail)));
  const fields = new Map();
  const schema = approval.fields || {};
  const isRequired = (name) => (schema.required || []).includes(name);
  // Scripts know no order of fields: what has to be filled in comes first.
  const names = Object.keys(schema.properties || {});
  for (const name of [...names.filter(isRequired), ...names.filter((one) => !isRequired(one))]) {
    const property = schema.properties[name];
    fields.set(name, makeField(property.title || name, property, isRequired(name)));
  }
  const comment = makeField("Comment", { type: "string" }, false);
  comment.control.rows = 1;
  comment.control.dataset.name = "comment";
  for (const [name, field] of fields) {
    field.control.dataset.name = name;
    form.append(field.element);
  }
  form.append(comment.element);
  const fault = make("p", "fault");
  fault.setAttribute("role", "alert");
  const buttons = approval.choices.map((choice, index) =>
    makeButton(index === 0 ? "chief" : "", capitalized(choice), () => decide(choice)));
  form.append(fault, make("div", "choices", ...buttons));

  // A field's faults stand beside it, what belongs to none of them below.
  function refuse(error) {
    const rest = [];
    for (const { field, message } of error.problem?.errors || []) {
      const name = field.replace(/^values\./, "");
      const owner = [...fields.keys()].filter((one) => name === one || name.startsWith(one + ".") || name.startsWith(one + "["))
        .sort((one, other) => other.length - one.length)[0];
      if (owner !== undefined) fields.get(owner).show(name === owner ? message : name + " " + message);
      else rest.push(field + " " + message);
    }
    const first = [...fields.values()].find((one) => one.control.hasAttribute("aria-invalid"));
    fault.textContent = rest.join("; ") || (first ? "Not taken: see above." : error.message);
    if (first) first.control.focus();
  }

  async function decide(choice) {
    for (const field of fields.values()) field.show("");
    fault.textContent = "";
    const body = { decision: choice };
    if (comment.read() !== undefined) body.comment = comment.read();
    // Who says no fills nothing in.
    if (fields.size && choice !== "reject" && choice !== "abort") {
      const values = [...fields].map(([name, field]) => [name, field.read()]);
      body.values = Object.fromEntries(values.filter(([, value]) => value !== undefined));
    }
    for (const button of buttons) button.disabled = true;
    try {
      decided(await ask("/v1/approvals/" + part(approval.id), "POST", body));
    } catch (error) {
      refuse(error);
    }
    for (const button of buttons) button.disabled = false;
  }
  return form;
}
