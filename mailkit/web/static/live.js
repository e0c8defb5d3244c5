// What happens elsewhere is seen here: one stream for all tabs of a browser, whichever of
// them holds the lock; the others hear of it from that one.

import { list } from "./list.js";
import { complain, make, online, word } from "./notices.js";
import { ask, meta, refresh } from "./swap.js";

const PATIENCE = 10_000; // ms without a stream before it is said
const channel = new BroadcastChannel("mailkit");
const numbers = new Intl.NumberFormat(document.documentElement.lang);

let hello; // the last one of whoever holds the stream
let isSeen; // somebody looks at another tab of ours
let waiting; // until it is said that there is no stream
let isLate; // something may have happened behind the stream before, or the page

// -- the stream

let source; // the stream, where this page has it

function lead() {
  source = new EventSource("/events");
  source.onopen = () => {
    clearTimeout(waiting);
    waiting = drop("lost");
    if (isLate) channel.postMessage(["reset"], look());
    isLate = false;
  };
  source.onerror = () => {
    waiting ??= setTimeout(() => pill("lost", word("reconnecting")), PATIENCE);
    if (source.readyState === EventSource.CLOSED) again();
  };
  for (const kind in hears)
    source.addEventListener(kind, (event) => {
      const data = JSON.parse(event.data);
      channel.postMessage([kind, data]);
      if (kind === "hello") hello = data;
      if (data.inbox && hello) hello.unread = data.inbox.unread;
      if (kind === "mail" && data.notify) notify(data);
      hears[kind](data);
      if (data.state === "ended") again(source.close());
    });
  const again = () => {
    isLate = true;
    setTimeout(() => ask("/mail/inbox", { swap: "list" }).then(lead, again), 3000);
  };
}

addEventListener("pagehide", () => source?.close());
// Somebody came back to a page that was only put away.
addEventListener("pageshow", ({ persisted }) => {
  isLate ||= persisted;
  if (persisted && source) lead();
});

channel.onmessage = ({ data: [kind, data] }) => {
  isLate ||= kind === "hello";
  if (kind === "?" && hello) channel.postMessage(["hello", hello]);
  if (kind === "seen") isSeen = true;
  if (kind === "mail" && document.hasFocus()) channel.postMessage(["seen"]);
  hears[kind]?.(data);
};

// -- what is heard

const hears = {
  hello({ v, unread }) {
    online();
    if (v !== meta("mailkit-version")) pill("version", word("version"), () => location.reload());
    // Mail that came after the page was made, and before the stream was there.
    if (count("inbox", { unread })) look();
  },
  mail(about) {
    const open = document.getElementById("conv");
    if (about.notify && open?.dataset.thread === about.threadId)
      pill("new", several(1), () => refresh("conv").catch(() => {}));
    hears.thread(about);
  },
  thread({ threadId, mailboxIds }) {
    const box = list()?.dataset.box ?? "search";
    const isView = /^(starred|all|label)/.test(box);
    if (isView || mailboxIds.includes(box) || row(threadId)) look();
  },
  gone: ({ threadIds }) => threadIds.some(row) && look(),
  counts(all) {
    for (const box in all) count(box, all[box]);
  },
  draft: (detail) => document.dispatchEvent(new CustomEvent("mailkit:draft", { detail })),
  sent({ state, reason }) {
    if (state === "failed") complain(new Error(`${word("unsent")} ${reason}`));
    if (location.pathname === "/mail/scheduled") refresh().catch(() => {});
  },
  session({ state, extends: mayStay }) {
    if (state === "expiring") pill("session", word(mayStay ? "expiring" : "ending"), mayStay && stay);
    else if (state !== "changed") drop("session");
  },
  reset: () => look(),
};

/** They are there still: any request tells the server so. */
const stay = () =>
  ask("/mail/inbox", { swap: "list" }).then(
    () => channel.postMessage(["session", { state: "going on" }]),
    () => hears.session({ state: "expiring", extends: true }),
  );

const row = (id) => list()?.querySelector(`.row[data-c="${CSS.escape(id)}"]`);
const look = () => list() && import("./fresh.js").then(({ look }) => look());

/** Shows the numbers; whether they are others than before. */
function count(box, counts) {
  const shown = document.querySelector(`#nav [data-box="${CSS.escape(box)}"] .n`);
  const number = counts[shown?.dataset.count];
  const was = shown?.textContent;
  if (number !== undefined) {
    shown.firstChild.data = numbers.format(number);
    shown.hidden = !number;
  }
  const isNew = shown?.textContent !== was;
  if (list()?.dataset.box !== box) return isNew;
  const unread = counts.unread ? ` (${numbers.format(counts.unread)})` : "";
  document.title = document.title.replace(/^.*(?= – )/, list().querySelector("h1").textContent + unread);
  return isNew;
}

// -- pills, and what the system shows

export const several = (number) => word("fresh").replace("{}", numbers.format(number));

/** A few words on top of the page, which may be pressed. */
export function pill(kind, text, press) {
  const id = `pill-${kind}`;
  // Whoever is pressing it goes on.
  if (press && document.querySelector(`button#${id}`)?.textContent === text) return;
  drop(kind);
  let all = document.getElementById("pills");
  if (!all) document.querySelector(".app").append((all = make("div", { id: "pills", role: "status" })));
  const onclick = () => press(drop(kind));
  all.append(press ? make("button", { class: "pill", id, type: "button", onclick }, text) : make("span", { class: "pill", id }, text));
}

export const drop = (kind) => document.getElementById(`pill-${kind}`)?.remove();

function notify({ threadId, from, subject }) {
  if (globalThis.Notification?.permission !== "granted") return;
  isSeen = document.hasFocus();
  setTimeout(() => {
    if (isSeen) return;
    new Notification(from, { body: subject, tag: threadId }).onclick = () => {
      window.focus();
      location.assign(`/mail/inbox/c/${threadId}`);
    };
  }, 150);
}

/** The button that asks whether to tell of new mail (data-module="live"). */
export function start(button) {
  const show = () => (button.hidden = globalThis.Notification?.permission !== "default");
  button.addEventListener("click", () => Notification.requestPermission().then(show));
  show();
}

// A message is begun beside what is read, where there is room.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a.compose");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (innerWidth < 1000 || document.getElementById("composer")) return;
  event.preventDefault();
  const { dock } = await import("./compose.js");
  dock(link.href).catch(complain);
});

if (navigator.locks) navigator.locks.request("mailkit", () => new Promise(lead));
else lead();
channel.postMessage(["?"]);
if (list()) import("./fresh.js");
