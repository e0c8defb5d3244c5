// Links and forms with data-swap change one element of the page instead of all of it.
// What cannot be done here is left to the browser, which does it as without scripts.

import { complain, say, skeleton, word } from "./notices.js";

const WAIT = 300; // ms before a skeleton is worth its flicker
const STOPPED = 10_000; // ms behind which a form that leads on may be sent again
const policy = globalThis.trustedTypes?.createPolicy("mailkit", { createHTML: (html) => html });

let shown = location.pathname + location.search; // what the page has, whatever the bar says
let leaving; // aborts what was asked for before
let going; // the same of where somebody is on the way to
const waits = new WeakMap(); // for which request an element waits
const busy = new WeakSet();

export const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

/** Our own server's HTML as a document: the one place where text becomes elements. */
export const parse = (html) =>
  new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");

/** Why an answer is no good, in the words of its page. */
export class Failed extends Error {}

/**
 * One request; again where the session is over.
 * Throws Failed with the server's reason, or TypeError where there is no server.
 */
export async function ask(url, { swap, csrf, headers, again, ...options } = {}) {
  const sent = new Headers(headers);
  if (swap) sent.set("X-Mailkit-Swap", swap);
  if (csrf) sent.set("X-CSRF", meta(`csrf-${csrf}`));
  const banner = document.getElementById("offline");
  const answer = await fetch(url, { ...options, headers: sent });
  banner?.remove();
  if ([401, 403].includes(answer.status) && !again) {
    await (await import("./signin.js")).renew(answer.status, options.body);
    return ask(url, { swap, csrf, headers, again: true, ...options });
  }
  if (answer.ok || [409, 410, 413, 422].includes(answer.status)) return answer;
  const page = parse(await answer.text());
  const words = [...page.querySelectorAll("main h1, main h1 ~ p")].map((one) => one.textContent.trim()).join(" ");
  const { status } = answer;
  // What stands before our server says nothing to people.
  throw Object.assign(new Failed(words || (status < 500 && page.body.textContent.trim()) || word("lost")), { status });
}

/**
 * Shows an address in one element of the page.
 *
 * into: its id; where the answer has none of it, it is "main". at: where the person was
 * there, as history keeps it. focus: a selector, in place of the heading. stays: who is
 * elsewhere on the page stays there.
 */
export async function swap(url, { into = "main", method = "GET", body, push = true, at, focus, stays, by } = {}) {
  leaving?.abort();
  const stop = (leaving = new AbortController());
  going = !stays && stop;
  const old = document.getElementById(into) ?? document.getElementById((into = "main"));
  old.setAttribute("aria-busy", "true");
  waits.set(old, stop);
  const gets = method === "GET";
  const slow = gets && setTimeout(() => old.append(skeleton()), WAIT);
  by?.setAttribute("aria-busy", "true");
  try {
    const answer = await ask(url, { swap: into, method, body, signal: gets ? stop.signal : null });
    tell(answer.headers);
    if (stop !== leaving) return; // They went on.
    const page = parse(await answer.text());
    let fresh = page.getElementById(into);
    let place = document.getElementById(into);
    if (!fresh || !place) {
      fresh = page.getElementById("main");
      place = document.getElementById("main");
    }
    if (!fresh) return location.assign(url);
    if (push) keepPlace();
    const isAway = stays && !place.contains(document.activeElement);
    const thread = document.getElementById("conv")?.dataset.thread;
    place.replaceWith(document.adoptNode(fresh));
    settle(answer, page, new URL(url, location.href).hash, push);
    arrive(fresh, { at, focus, row: at?.row ?? thread, top: push && into === "main", isAway });
    return fresh;
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status < 500 && gets) return location.assign(url);
    complain(error);
    throw error;
  } finally {
    clearTimeout(slow);
    if (going === stop) going = undefined;
    by?.removeAttribute("aria-busy");
    if (waits.get(old) === stop) {
      old.removeAttribute("aria-busy");
      old.querySelector(":scope > .sk")?.remove();
    }
  }
}

/**
 * Asks again for what is shown; for those who heard that it has changed. Whoever is on the
 * way elsewhere is not held up.
 */
export const refresh = async (into = "main", focus = "") =>
  going || swap(shown, { into, push: false, focus, at: { y: scrollY, row: rowHere() }, stays: true });

/** Address, title and navigation follow what is shown. */
function settle(answer, page, hash, push) {
  const url = new URL(answer.url);
  for (const name of ["done", "sent"]) url.searchParams.delete(name);
  shown = url.pathname + url.search;
  if (push) {
    const how = shown === location.pathname + location.search ? "replaceState" : "pushState";
    history[how]({}, "", shown + hash);
  }
  const title = answer.headers.get("X-Mailkit-Title");
  const tail = document.title.slice(document.title.lastIndexOf(" – "));
  const field = document.getElementById("q");
  if (field && field !== document.activeElement) field.value = url.searchParams.get("q") ?? "";
  document.title = title ? decodeURIComponent(title) + tail : page.title || document.title;
  const nav = document.getElementById("nav");
  if (nav?.matches(":popover-open")) nav.hidePopover();
  for (const link of nav?.querySelectorAll("li a") ?? []) {
    const path = link.pathname.replace(/\/general$/, "");
    const isHere = `${url.pathname}/${url.search}&`.startsWith(`${path}/${link.search && `${link.search}&`}`);
    link.ariaCurrent = isHere ? "page" : null;
  }
}

/** What was done, and the way back. */
export function tell(headers) {
  const [said, undo] = ["Said", "Undo"].map((name) => decodeURIComponent(headers.get(`X-Mailkit-${name}`) ?? ""));
  if (said) say(said, undo);
}

/** Focus and scrolling: where the person was, or where the new thing begins. */
function arrive(fresh, { at, focus, row, top, isAway }) {
  const next =
    (focus && document.querySelector(focus)) ||
    (row && fresh.querySelector(`[data-c="${CSS.escape(row)}"] .subj`)) ||
    document.querySelector(location.hash.replace(/[^#\w-]/g, "") || "[autofocus]") ||
    fresh.querySelector("[autofocus], h1") ||
    fresh;
  if (!next.matches("a, button, input, select, textarea, summary, [tabindex]")) next.tabIndex = -1;
  if (!isAway) next.focus({ preventScroll: true });
  if (at) scrollTo(0, at.y ?? 0);
  else if (top) scrollTo(0, 0);
  if (!at && next.matches("summary, .msg, .subj")) next.scrollIntoView({ block: "center" });
  awake(fresh);
  document.dispatchEvent(new CustomEvent("mailkit:swap", { detail: fresh }));
}

/** Elements with data-module="name" are given to static/name.js, its function `start`. */
export function awake(within) {
  for (const one of [within, ...within.querySelectorAll("[data-module]")])
    if (one.dataset?.module)
      import(`./${one.dataset.module}.js`).then((module) => module.start(one));
}

// -- history

const rowHere = () => document.activeElement?.closest("[data-c]")?.dataset.c;
const keepPlace = () => history.replaceState({ y: scrollY, row: rowHere() }, "");

history.scrollRestoration = "manual";
let resting;
addEventListener("scroll", () => {
  clearTimeout(resting);
  resting = setTimeout(() => !document.querySelector("[aria-busy]") && keepPlace(), 100);
});
addEventListener("pagehide", keepPlace);
addEventListener("popstate", ({ state }) => {
  if (location.pathname + location.search === shown) return;
  const back = shown;
  swap(location.href, { push: false, at: state ?? {} }).catch(() => history.pushState({}, "", back));
});

// -- what people press

const isPlain = (event) =>
  !(event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || !isPlain(event) || link.target || link.origin !== location.origin) return;
  event.preventDefault();
  swap(link.href, { into: link.dataset.swap, by: link }).catch(() => {});
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (busy.has(form)) return event.preventDefault();
  busy.add(form);
  const { submitter } = event;
  if (form.dataset.swap === undefined || form.enctype.startsWith("multipart")) {
    const free = () => (busy.delete(form), submitter?.removeAttribute("aria-busy"));
    submitter?.setAttribute("aria-busy", "true");
    // The browser goes on, or somebody stops it, or comes back.
    setTimeout(free, STOPPED);
    return addEventListener("pageshow", free, { once: true });
  }
  event.preventDefault();
  send(form, submitter).catch(() => {}).finally(() => busy.delete(form));
});

addEventListener("pageshow", ({ persisted }) => {
  if (persisted && document.getElementById("list")) refresh("list");
});

/** What a form says, with the button that was pressed. */
export const fieldsOf = (form, submitter) => new URLSearchParams(new FormData(form, submitter));

async function send(form, submitter) {
  const fields = fieldsOf(form, submitter);
  const url = new URL(submitter?.getAttribute("formaction") ?? form.getAttribute("action"), location.href);
  const into = form.dataset.swap;
  if (form.method === "get") {
    url.search = fields;
    return swap(url.href, { into, by: submitter });
  }
  return swap(url.href, { into, method: "POST", body: fields, by: submitter });
}

if (history.state?.y) scrollTo(0, history.state.y);
{
  const url = new URL(location.href);
  url.searchParams.delete("done");
  url.searchParams.delete("sent");
  history.replaceState(history.state ?? {}, "", url);
  shown = url.pathname + url.search;
}
awake(document);
