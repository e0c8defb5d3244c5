// What the page says by itself: done, failed, offline, signed out.

import { ask, refresh } from "./swap.js";

const TIME = 10_000; // ms a toast stays; it waits while somebody points at it
let last; // takes back what was done last, also when its toast has gone

/** Words of the page in the person's language: data- attributes of its #words. */
export const word = (name) => document.getElementById("words")?.dataset[name] ?? name;

export function make(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

export function icon(name) {
  const svg = document.querySelector("svg.i").cloneNode(true);
  svg.firstElementChild.setAttribute("href", `${import.meta.url.replace(/[^/]*$/, "")}icons.svg#${name}`);
  return svg;
}

/** In place of what takes long to come. */
export const skeleton = () =>
  make("ul", { class: "sk", "aria-hidden": "true" }, ...Array.from({ length: 8 }, () => make("li", {}, make("i"), make("i"))));

/**
 * A toast. undo: a token of the server's, or what takes it back.
 */
export function say(text, undo) {
  undoable(undo);
  show("status", text, last);
}

/** What takes back what was done last, while nothing says so yet. */
export const undoable = (undo) => (last = undo ? once(typeof undo === "function" ? undo : () => takeBack(undo)) : undefined);

/** What went wrong, until somebody has seen it. undo: what may be tried again. */
export function complain(error, undo) {
  if (error instanceof TypeError) {
    offline();
    show("alert", word("lost"), undo);
  } else show("alert", error.message, undo);
}

function show(role, text, undo) {
  document.getElementById("toast")?.remove();
  const words = make("span", { class: "grow" });
  const close = make("button", { class: "ib", type: "button", "aria-label": word("dismiss"), onclick: () => toast.remove() }, icon("close"));
  const buttons = undo ? [make("button", { class: "btn", type: "button", onclick: undo }, icon("undo"), word("undo"))] : [];
  const toast = make("div", { class: `toast${role === "alert" ? " bad" : ""}`, id: "toast", role }, words, ...buttons, close);
  document.body.append(toast);
  // Said aloud only if it changes within an element that is there.
  requestAnimationFrame(() => words.append(text));
  if (role === "status") vanish(toast);
}

function vanish(toast) {
  let timer;
  const wait = () => (timer = setTimeout(() => toast.remove(), TIME));
  const hold = () => clearTimeout(timer);
  for (const kind of ["pointerenter", "focusin"]) toast.addEventListener(kind, hold);
  for (const kind of ["pointerleave", "focusout"]) toast.addEventListener(kind, wait);
  wait();
}

function once(undo) {
  return async function again() {
    last = undefined;
    document.getElementById("toast")?.remove();
    try {
      await undo();
    } catch (error) {
      const more = error.status < 500 ? undefined : again;
      last ??= more;
      complain(error, more);
    }
  };
}

/** Takes back what was done last. */
export const undoLast = () => last?.();

/** Sends a token back; throws what `ask` throws. */
export const sendBack = (token) =>
  ask(`/undo/${token}`, { method: "POST", body: new URLSearchParams({ quiet: 1 }), csrf: "act" });

async function takeBack(token) {
  await sendBack(token);
  await refresh();
  say(word("undone"));
}

// -- the toast of a page that was led to

const given = document.querySelector("#toast form");
if (given) {
  const token = /\/undo\/(.+)/.exec(given.action)?.[1];
  last = token ? once(() => takeBack(token)) : () => given.isConnected && given.requestSubmit();
  vanish(given.parentElement);
}
document.addEventListener("click", (event) => {
  if (!event.target.closest("#toast a.ib")) return;
  event.preventDefault();
  document.getElementById("toast").remove();
});

// -- offline

function offline() {
  if (document.getElementById("offline")) return;
  const words = make("span", { class: "grow" }, make("b", {}, word("offline")), " ", word("offlineMore"));
  document.querySelector(".app").before(make("div", { class: "banner", id: "offline", role: "status" }, icon("offline"), words));
}

/** The server was heard. */
export const online = () => document.getElementById("offline")?.remove();

/** What the browser thinks; an answer that was under way is no proof against it, a new one is. */
function doubt() {
  offline();
  setTimeout(() => fetch("/healthz").then(online, () => navigator.onLine || offline()), 1000);
}

addEventListener("offline", doubt);
addEventListener("online", () => {
  online();
  if (document.querySelector("#list")) refresh("list").catch(() => {});
});
if (!navigator.onLine) doubt();
