// A field of recipients: those who are chosen stand as chips before the field, and a few
// letters bring up whom they may mean (a combobox with a list, as ARIA has it).

import { icon, make } from "./notices.js";
import { ask } from "./swap.js";

const SOON = 60; // ms behind a letter
const PIECES = /(?:"(?:\\.|[^"\\])*"|<[^>]*>|[^,;\n"<])+|[<"]/g;
const isAddress = (text) => /^[^\s@<>"]+@[^\s@<>"]+$/.test(text);

/** `A <a@x>, b@y; c@z` as people, one by one. */
export const split = (text) =>
  (text.match(PIECES) ?? []).map((one) => one.trim()).filter(Boolean).map((one) => {
    const found = /^(.*)<([^>]*)>$/.exec(one);
    const name = (found?.[1] ?? "").trim().replace(/^"(.*)"$/, "$1").replace(/\\(.)/g, "$1");
    return { name, email: (found?.[2] ?? one).trim(), text: one };
  });

const written = ({ name, email, text }) => {
  if (!isAddress(email)) return text;
  if (!name) return email;
  return /^[\w \u0080-\uffff]+$/.test(name) ? `${name} <${email}>` : `"${name.replace(/["\\]/g, "\\$&")}" <${email}>`;
};

/** Makes one of a field; `told` hears of each change. */
export function people(field, words, told) {
  const name = field.name;
  const line = field.closest(".cline");
  const list = make("ul", { class: "sugg", id: `${name}-people`, role: "listbox", "aria-label": words.people });
  let chosen = [];
  let found = [];
  let active = -1;
  let timer;
  let asked = 0;
  for (const [key, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id }))
    field.setAttribute(key, value);
  field.removeAttribute("name");
  list.hidden = true;
  field.after(list);

  // -- chips

  function draw() {
    for (const one of line.querySelectorAll(".to")) one.remove();
    for (const one of chosen) {
      const isGood = isAddress(one.email);
      const shown = one.name || one.email || one.text;
      const away = make("button", { type: "button", "aria-label": words.remove.replace("{}", shown), onclick: () => (drop(one), field.focus()) }, icon("close"));
      const chip = make("span", { class: isGood ? "to" : "to bad", title: one.email }, make("bdi", {}, shown), away);
      if (one.colour) chip.prepend(make("span", { class: `av a${one.colour}`, "aria-hidden": "true" }, one.initials));
      if (!isGood) away.before(make("small", {}, words.invalid));
      chip.addEventListener("dblclick", () => reopen(one));
      field.before(chip);
    }
  }

  function drop(one) {
    chosen = chosen.filter((each) => each !== one);
    draw();
    told();
  }

  /** A chip is text again. */
  function reopen(one) {
    finish();
    drop(one);
    field.value = one.text ?? written(one);
    field.focus();
  }

  function add(all) {
    const known = new Set(chosen.map((one) => one.email.toLowerCase()));
    for (const one of all)
      if (!known.has(one.email.toLowerCase())) {
        known.add(one.email.toLowerCase());
        chosen.push(one);
      }
    draw();
    close();
    told();
  }

  /** What is typed is a chip, too. */
  function finish() {
    if (!field.value.trim()) return;
    const typed = split(field.value);
    field.value = "";
    add(typed);
  }

  // -- whom it may mean

  async function look() {
    const text = field.value.trim();
    const number = (asked += 1);
    if (!text) return close();
    let all;
    try {
      all = await (await ask(`/people?q=${encodeURIComponent(text)}`)).json();
    } catch {
      return close(); // it can be typed all the same
    }
    if (number !== asked || field.value.trim() !== text) return;
    const known = new Set(chosen.map((one) => one.email.toLowerCase()));
    found = all.filter((one) => !known.has(one.email.toLowerCase()));
    list.replaceChildren(...found.map((one, n) => option(one, n, text)));
    list.hidden = !found.length;
    field.ariaExpanded = Boolean(found.length);
    point(isAddress(text) ? -1 : 0);
  }

  function marked(text, letters) {
    const at = text.toLowerCase().search(new RegExp(`(^|[^\\p{L}\\p{N}])${RegExp.escape?.(letters) ?? letters.replace(/\W/g, "\\$&")}`, "iu"));
    if (at < 0) return [text];
    const begin = text.toLowerCase().indexOf(letters.toLowerCase(), at);
    const end = begin + letters.length;
    return [text.slice(0, begin), make("mark", {}, text.slice(begin, end)), text.slice(end)];
  }

  function option(one, n, text) {
    const hide = make("span", { class: "hide", title: `${words.hide} (Shift+Del)`, "aria-hidden": "true" }, icon("close"));
    const item = make(
      "li",
      { id: `${list.id}-${n}`, role: "option", "aria-selected": "false" },
      make("span", { class: `av a${one.colour}`, "aria-hidden": "true" }, one.initials),
      make("span", { class: "grow" }, make("bdi", {}, ...marked(one.name || one.email, text)), make("br"), make("small", { class: "muted" }, ...(one.name ? marked(one.email, text) : []))),
      make("small", { class: "muted" }, one.words),
      hide,
    );
    item.addEventListener("mousedown", (event) => {
      event.preventDefault();
      if (hide.contains(event.target)) return forget(one);
      take(one);
    });
    return item;
  }

  function point(n) {
    active = found.length ? n : -1;
    [...list.children].forEach((one, at) => (one.ariaSelected = at === active));
    if (active < 0) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", `${list.id}-${active}`);
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }

  function take(one) {
    field.value = "";
    add([one]);
    field.focus();
  }

  async function forget(one) {
    await ask("/people/hide", { method: "POST", csrf: "compose", body: new URLSearchParams({ email: one.email }) }).catch(() => {});
    look();
  }

  function close() {
    asked += 1;
    clearTimeout(timer);
    found = [];
    list.hidden = true;
    field.ariaExpanded = false;
    point(-1);
  }

  // -- what people do

  field.addEventListener("input", () => {
    if (/[,;\n]\s*$/.test(field.value) && !/^"[^"]*$/.test(field.value)) return finish();
    clearTimeout(timer);
    timer = setTimeout(look, SOON);
  });
  field.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain");
    if (!/[@,;\n]/.test(text)) return;
    event.preventDefault();
    field.value += text;
    finish();
  });
  field.addEventListener("keydown", (event) => {
    const { key } = event;
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (found.length && (key === "ArrowDown" || key === "ArrowUp")) point((active + (key === "ArrowDown" ? 1 : -1) + found.length) % found.length);
    else if (found.length && key === "Escape") close();
    else if (active >= 0 && key === "Delete" && event.shiftKey) forget(found[active]);
    else if (active >= 0 && (key === "Enter" || key === "Tab")) take(found[active]);
    else if (key === "Enter") finish();
    else if (key === "Backspace" && !field.value && chosen.length) reopen(chosen.at(-1));
    else return;
    event.preventDefault();
  });
  field.addEventListener("blur", () => {
    close();
    finish();
  });

  const set = (text) => {
    field.value = "";
    chosen = split(text);
    draw();
  };
  set(field.value);
  return {
    set,
    finish,
    value: () => [...chosen.map(written), field.value.trim()].filter(Boolean).join(", "),
    addresses: () => [...chosen, ...split(field.value)].map((one) => one.email.toLowerCase()),
  };
}
