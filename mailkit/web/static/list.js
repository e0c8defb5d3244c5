// The list of conversations: one row at a time has the keyboard, many can be chosen, and
// what is done to them is seen at once and comes back if the server will not have it.

import { complain, say, sendBack, undoable } from "./notices.js";
import { ask, fieldsOf, refresh, swap } from "./swap.js";

const LEAVES = new Set(["delete", "forever", "spam", "notspam", "unsnooze", "archive"]);
const STAYS = { starred: ["archive"], sent: ["archive"], all: ["archive"], label: ["archive"], search: ["archive"] };
const MARKS = new Set(["star", "unstar", "read", "unread"]);
const FEW = 25; // rows, below which more are asked for

let here; // the row that has the keyboard
let anchor; // where a range begins

export const list = () => document.getElementById("list");
const rows = () => [...(list()?.querySelectorAll(".row") ?? [])];
const box = (row) => row.querySelector(".ck input");
const link = (row) => row.querySelector(".subj");
const ticked = () => rows().filter((row) => box(row).checked);
const header = () => list().querySelector("[data-all]");

/** The row that keys are about. */
export const current = () => (here?.isConnected ? here : undefined);

// -- one row has the keyboard

function settle() {
  for (const row of rows()) reach(row, false);
  const first = current() ?? rows()[0];
  if (first) reach((here = first), true);
}

function reach(row, can) {
  for (const one of row.querySelectorAll("a, button, input")) one.tabIndex = can ? 0 : -1;
}

function stand(row) {
  if (here === row) return;
  if (current()) reach(here, false);
  reach((here = row), true);
}

function goTo(row) {
  if (!row) return;
  stand(row);
  link(row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/** To the row that many rows on; from nowhere to the first. */
export function move(by, extend = false) {
  const all = rows();
  const at = all.indexOf(current());
  const isIn = current()?.contains(document.activeElement);
  const to = at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + (isIn ? by : 0)));
  if (extend && at >= 0) {
    anchor ??= all[at];
    range(anchor, all[to]);
  }
  const kept = anchor;
  goTo(all[to]);
  anchor = extend ? kept : undefined;
}

// -- choosing

function range(from, to, on = true) {
  const all = rows();
  const [first, last] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  if (first < 0) return;
  for (const row of all.slice(first, last + 1)) box(row).checked = on;
  count();
}

function count() {
  const all = rows();
  const chosen = ticked().length;
  const top = header();
  if (!top) return;
  top.checked = chosen > 0 && chosen === all.length;
  top.indeterminate = chosen > 0 && chosen < all.length;
  if (!top.checked) for (const every of list().querySelectorAll("[name=all]")) every.checked = false;
}

/** Ticks those rows for which `is` holds, and no other. */
export function choose(is) {
  for (const row of rows()) box(row).checked = is(row);
  count();
}

export function toggle(row = current()) {
  if (!row) return;
  box(row).checked = !box(row).checked;
  anchor = row;
  count();
}

export const isUnread = (row) => row.classList.contains("un");
export const isStarred = (row) => row.querySelector(".star").ariaPressed === "true";

// -- doing

/** Does something with one row, or what is ticked, or else the row that has the keyboard. */
export function act(op, row) {
  const chosen = row ? [] : ticked();
  const some = chosen.length ? chosen : [row ?? current()].filter(Boolean);
  if (!some.length) return;
  const fields = fieldsOf(list());
  for (const name of ["c", "m"]) fields.delete(name);
  if (!chosen.length) fields.delete("all");
  for (const row of some) fields.append(box(row).name, box(row).value);
  fields.set("op", op);
  return perform(op, some, fields);
}

/** What is done here, or taken back: `now` at work, `all` since the page is there. */
export const acts = { now: 0, all: 0 };
const turns = new Map(); // what the server is asked last, by conversation

async function perform(op, chosen, fields) {
  const slug = list().dataset.box.split("/")[0];
  const leaves = LEAVES.has(op) && !STAYS[slug]?.includes(op);
  const unstars = op === "unstar" && slug === "starred";
  if (fields.has("all") || !(leaves || unstars || MARKS.has(op)))
    return swap("/act", { into: "list", method: "POST", body: fields }).catch(() => {});
  const back = leaves || unstars ? take(chosen) : mark(op, chosen);
  fields.set("quiet", "1");
  acts.now += 1;
  acts.all += 1;
  // What is done to a row later does not overtake it.
  const keys = chosen.map((row) => box(row).value);
  const asking = Promise.allSettled(keys.map((key) => turns.get(key))).then(() => ask("/act", { method: "POST", body: fields }));
  for (const key of keys) turns.set(key, asking);
  let isBack;
  async function undo() {
    isBack = true;
    const answer = await asking.catch(() => {});
    const token = answer?.headers.get("X-Mailkit-Undo");
    if (!token) return;
    // What is asked for meanwhile may know nothing of it yet.
    acts.now += 1;
    acts.all += 1;
    try {
      await sendBack(token);
      await back();
    } finally {
      acts.now -= 1;
    }
  }
  undoable(undo);
  try {
    const answer = await asking;
    const said = decodeURIComponent(answer.headers.get("X-Mailkit-Said") ?? "");
    if (!isBack) say(said, answer.headers.get("X-Mailkit-Undo") && undo);
    if (leaves || unstars) await fill();
  } catch (error) {
    back();
    complain(error);
  } finally {
    acts.now -= 1;
    for (const key of keys) if (turns.get(key) === asking) turns.delete(key);
  }
}

/** Rows leave; what is returned puts them back where they were. */
function take(chosen) {
  const all = rows();
  const last = all.indexOf(chosen.at(-1));
  const next = all.slice(last + 1).concat(all.slice(0, last).reverse()).find((row) => !chosen.includes(row));
  const marks = chosen.map((row) => {
    const mark = document.createComment("");
    box(row).checked = false;
    row.replaceWith(mark);
    return [mark, row];
  });
  here = next;
  count();
  if (next) goTo(next);
  else list().querySelector("h1").focus();
  return () => {
    if (!marks.every(([mark]) => mark.isConnected)) return refresh("list", `[data-c="${chosen[0].dataset.c}"] .subj`);
    for (const [mark, row] of marks) mark.replaceWith(row);
    settle();
    goTo(chosen[0]);
    count();
  };
}

/** Stars and unread marks change; what is returned changes them back. */
function mark(op, chosen) {
  const before = chosen.map((row) => [row, isUnread(row), isStarred(row)]);
  for (const [row, unread, starred] of before)
    draw(row, op === "unread" || (op !== "read" && unread), op === "star" || (op !== "unstar" && starred));
  return () => before.forEach((one) => draw(...one));
}

/** How a row looks, also when a program elsewhere has changed it. */
export function draw(row, unread, starred) {
  const star = row.querySelector(".star");
  star.ariaPressed = starred;
  star.name = starred ? "unstar" : "star";
  row.classList.toggle("un", unread);
  const words = row.querySelector(".subj > .vh");
  if (unread && !words) {
    const said = document.createElement("span");
    said.className = "vh";
    said.textContent = `${document.getElementById("words").dataset.unread} `;
    link(row).prepend(said);
  } else if (!unread) words?.remove();
}

/** More rows where few are left. */
async function fill() {
  // The server may know nothing yet of what else is under way: the last one asks.
  if (!list() || acts.now > 1) return;
  const left = rows().length;
  if (left > FEW || (left && !list().querySelector("[rel=next]"))) return;
  const id = current()?.dataset.c;
  await refresh("list", id ? `[data-c="${CSS.escape(id)}"] .subj` : "").catch(() => {});
}

// -- what people do

document.addEventListener("submit", (event) => {
  if (event.target !== list() || event.defaultPrevented) return;
  const { submitter } = event;
  const isRow = submitter && submitter.name !== "op";
  const op = isRow ? submitter.name : submitter?.value;
  if (!op) return;
  event.preventDefault();
  document.querySelector(".menu:popover-open")?.hidePopover();
  if (isRow) act(op, submitter.closest(".row"));
  else if (ticked().length) act(op);
}, true);

document.addEventListener("click", (event) => {
  const row = event.target.closest?.("#list .row");
  if (!row || event.target !== box(row)) return;
  if (event.shiftKey && anchor?.isConnected) range(anchor, row, box(row).checked);
  anchor = row;
});

document.addEventListener("change", ({ target }) => {
  if (!list()?.contains(target)) return;
  if (target.matches("[data-all]")) choose(() => target.checked);
  else count();
});

document.addEventListener("focusin", ({ target }) => {
  const row = target.closest("#list .row");
  if (row) stand(row);
});

document.addEventListener("keydown", (event) => {
  const row = event.target.closest("#list .row");
  if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
  const all = rows();
  const { key } = event;
  if (key === "ArrowDown" || key === "ArrowUp") move(key === "ArrowDown" ? 1 : -1, event.shiftKey);
  else if (key === "Home") goTo(all[0]);
  else if (key === "End") goTo(all.at(-1));
  else if (key === " " && event.target === link(row)) toggle(row);
  else return;
  event.preventDefault();
});

for (const kind of ["mailkit:swap", "mailkit:rows"])
  document.addEventListener(kind, () => list() && (settle(), count()));
if (list()) {
  settle();
  count();
}

// Whoever sees a list opens a conversation next.
setTimeout(() => import("./reader.js"), 300);
