// Keys. What they do stands in the page (meta mailkit-key-map), and the list
// of keys in the settings, shown by "?", is made of the same table.

import { act, choose, current, isStarred, isUnread, list, move, toggle } from "./list.js";
import { complain, make, undoLast, word } from "./notices.js";
import { ask, fieldsOf, meta, parse, swap } from "./swap.js";

const CHORD = 1200; // ms that the first of two keys holds
const KEYS = new Map(meta("mailkit-key-map").split("|").map((one) => one.split("=")));
const isOn = meta("mailkit-keys") === "on";
const WRITES = "textarea, select, [contenteditable], dialog, input:not([type=checkbox], [type=radio])";
const TOP = ":modal, :popover-open";

const find = (selector) => document.querySelector(selector);
const click = (selector) => find(selector)?.click();
const tools = () => find("form[data-act=conv]");

/** Does something with the open conversation, or with rows of the list. */
function sort(op, back) {
  const form = tools();
  if (!form) return list() && act(op);
  const fields = fieldsOf(form);
  fields.set("op", op);
  if (back) fields.set("back", back);
  swap("/act", { method: "POST", body: fields }).catch(() => {});
}

/** Of two opposite buttons the one that is offered. */
const either = (one, other) => (find(`${tools() ? "[data-act=conv]" : ".bulk"} [value=${other}]`) ? other : one);

function star() {
  const row = find(".row:has(.ck :checked)") ?? current();
  sort(tools() ? either("star", "unstar") : row && isStarred(row) ? "unstar" : "star");
}

function archiveTo(step, key) {
  if (tools()) return sort("archive", find(`[data-key=${key}]`)?.getAttribute("href"));
  act("archive");
  if (step < 0) move(step);
}

const step = (by, key) => () => (list() ? move(by) : click(`[data-key=${key}]`));
const only = (is) => () => list() && choose(is);

function message(by) {
  const all = [...document.querySelectorAll(".msg")];
  const at = all.findIndex((one) => one.contains(document.activeElement));
  const to = all[Math.max(0, Math.min(all.length - 1, at + by))];
  (to?.querySelector("summary") ?? to)?.focus();
}

const fold = (open) => () => document.querySelectorAll("details.msg").forEach((one) => (one.open = open));

/** An answer to the message in focus, or to the last. */
const answer = (key) => () => {
  const within = document.activeElement?.closest(".msg");
  (within?.querySelector(`.answers [data-key=${key}]`) ?? find(`.replybar [data-key=${key}]`))?.click();
};

function copies(field) {
  const details = find("#composer .copies");
  if (!details) return;
  details.open = true;
  find(`#${field}`)?.focus();
}

async function keys() {
  const answer = await ask("/settings/shortcuts", { swap: "main" });
  const all = document.adoptNode(parse(await answer.text()).getElementById("shortcuts"));
  all.removeAttribute("id");
  const title = make("h1", { id: "h-keys" }, word("keys"));
  const top = make("form", { method: "dialog" }, title, make("button", { class: "btn sm" }, word("close")));
  const dialog = make("dialog", { class: "keys", "aria-labelledby": "h-keys" }, top, all);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** What is not here is sorting, as the server calls it, or a mailbox. */
const ACTIONS = {
  next: step(1, "older"),
  previous: step(-1, "newer"),
  nextmessage: () => message(1),
  previousmessage: () => message(-1),
  open: () => current()?.querySelector(".subj").click(),
  back: () => click("[data-key=back]"),
  unfold: fold(true),
  fold: fold(false),
  main: () => (current()?.querySelector(".subj") ?? find("#main"))?.focus(),
  select: () => list() && toggle(),
  extendnext: () => list() && move(1, true),
  extendprevious: () => list() && move(-1, true),
  selectall: only(() => true),
  selectnone: only(() => false),
  selectread: only((row) => !isUnread(row)),
  selectunread: only(isUnread),
  selectstarred: only(isStarred),
  selectunstarred: only((row) => !isStarred(row)),
  delete: () => sort(either("delete", "forever")),
  spam: () => sort(either("spam", "notspam")),
  star,
  archiveprevious: () => archiveTo(-1, "newer"),
  archivenext: () => archiveTo(1, "older"),
  more() {
    find("[popovertarget=more]")?.focus();
    click("[popovertarget=more]");
  },
  undo: undoLast,
  compose: () => click("a.compose"),
  composetab: () => open("/compose", "_blank", "noopener"),
  reply: answer("r"),
  replyall: answer("a"),
  forward: answer("f"),
  send: () => click("#composer #send"),
  save: () => click("#composer #save"),
  cc: () => copies("cc"),
  bcc: () => copies("bcc"),
  search: () => find("#q")?.focus(),
  golabels: () => find("#nav [data-box^='label/']")?.focus(),
  keys: () => keys().catch(complain),
};

const REPEATS = /^(extend)?(next|previous)/;
let first = ""; // of two keys
let timer;

/** The key as the table has it, whatever Caps Lock does. */
function nameOf({ key, ctrlKey, metaKey, shiftKey }) {
  const isLetter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  const name = isLetter ? (shiftKey ? key.toUpperCase() : key.toLowerCase()) : key;
  if (ctrlKey || metaKey) return `Ctrl+${name}`;
  return key === "Escape" && shiftKey ? "Shift+Escape" : name;
}

document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.defaultPrevented || event.isComposing || !event.key) return;
  const name = nameOf(event);
  const held = event.ctrlKey || event.metaKey;
  if (held ? event.altKey || !target.closest("#composer") : event.altKey && /^\w$/.test(event.key)) return;
  if (!held && (!isOn && name.length === 1 || target.closest(WRITES) || find(TOP))) return;
  clearTimeout(timer);
  const does = KEYS.get(first ? `${first} ${name}` : name);
  const begins = !does && !first && [...KEYS.keys()].some((one) => one.startsWith(`${name} `));
  first = begins ? name : "";
  if (begins) timer = setTimeout(() => (first = ""), CHORD);
  else if (!does || (event.repeat && !REPEATS.test(does))) return;
  event.preventDefault();
  if (!does) return;
  const box = /^go(?!labels)(.+)/.exec(does)?.[1];
  if (box) swap(`/mail/${box}`).catch(() => {});
  else (ACTIONS[does] ?? sort)(does);
});
