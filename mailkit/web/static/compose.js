// The composer: saved by itself, people by a few letters, files by drop and paste. The
// form stays what is sent without scripts; see mailkit/web/webmail/composing.py.

import { edit } from "./edit.js";
import { attach } from "./files.js";
import { people } from "./people.js";
import { complain, icon, make, say } from "./notices.js";
import { ask, awake, parse, swap } from "./swap.js";

const IDLE = 2000; // ms behind the last change at which it is saved
const LATEST = 5000; // ms behind the first one
const AGAIN = 10_000; // ms until a save that failed is tried again
const KEPT_ALIVE = 60_000; // octets a browser sends for a page that goes
const MANY = 10; // people, above which the button says how many
const lang = document.documentElement.lang;

/** Brings a composer to life. */
export function start(form) {
  // One at a time: another is kept as a draft.
  for (const other of document.querySelectorAll(".dock #composer, #inline #composer"))
    if (other !== form) other.querySelector("header a").click();
  const { draft: did, mode } = form.dataset;
  const words = form.querySelector("template").dataset;
  const find = (selector) => form.querySelector(selector);
  const url = `/compose/${did}`;
  const copyKey = `draft:${did}`;
  const area = find("#text");
  const ups = find("#ups");
  let revision = Number(form.elements.rev.value);
  let isOver = false; // sent, thrown away, closed
  let isHeld = false; // not saved before somebody has chosen between two versions

  // -- fields

  const isTyped = (id) => find(id) && find(id).value !== find(id).defaultValue;
  const isBegun = ["#to", "#cc", "#bcc", "#subject", "#text"].some(isTyped); // before this ran
  const lines = Object.fromEntries(
    ["to", "cc", "bcc"].map((name) => [name, people(form.elements[name], words, () => changed())]),
  );
  const rowOf = (cid) => [...ups.children].find((row) => row.dataset.cid === cid);
  const editor =
    mode === "rich" &&
    edit(area, {
      html: form.dataset.html,
      tools: find("#tools"),
      words,
      shownAt: (cid) => rowOf(cid) && `${url}/att/${rowOf(cid).dataset.n}`,
      idOf: (src) => [...ups.children].find((row) => src === `${url}/att/${row.dataset.n}`)?.dataset.cid,
    });

  function written() {
    const fields = {};
    for (const name of ["from", "subject", "purpose", "original"]) fields[name] = form.elements[name].value;
    for (const name in lines) fields[name] = lines[name].value();
    fields.html = editor ? editor.html() : "";
    fields.text = editor ? "" : area.value;
    return fields;
  }

  function fill(fields) {
    for (const name in lines) lines[name].set(fields[name] ?? "");
    form.elements.subject.value = fields.subject ?? "";
    if (fields.from) form.elements.from.value = fields.from;
    if (!editor) area.value = fields.text;
    else if (fields.html) editor.take(fields.html);
    else editor.body.replaceChildren(...fields.text.split("\n").map((line) => make("div", {}, line || make("br"))));
    label();
  }

  const time = (seconds, how) =>
    new Intl.DateTimeFormat(lang, { ...how, hourCycle: "h23", timeZone: form.dataset.zone }).format(seconds * 1000);
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  // -- saving

  let kept = written(); // what the server has
  let timer;
  let first = 0; // when the first change was that is not saved
  let saving = null;
  let going = null; // what the server may have by now, but has not said
  let failure; // why it is not saved

  const state = (text, name) => find("#cstate").replaceChildren(...(name ? [icon(name)] : []), text);

  function changed() {
    if (isOver) return;
    const now = Date.now();
    first ||= now;
    clearTimeout(timer);
    timer = setTimeout(save, Math.max(0, Math.min(IDLE, first + LATEST - now)));
    label();
    keepCopy();
  }

  let copying;
  let isCopied = false; // by this page
  const keepCopy = () => (copying ??= setTimeout(copyNow, 300));
  function copyNow() {
    clearTimeout(copying);
    copying = undefined;
    if (isOver) return;
    // What was taken out again does not come back.
    if (same(written(), kept)) return void (isCopied && sessionStorage.removeItem(copyKey));
    try {
      sessionStorage.setItem(copyKey, JSON.stringify({ revision, going, fields: written() }));
      isCopied = true;
    } catch {
      // No room; the server has it soon.
    }
  }

  /** One save after the other. */
  async function save({ isGoing = false } = {}) {
    clearTimeout(timer);
    while (saving) await saving;
    if (isOver || same(written(), kept)) return true;
    if (isHeld) return false;
    saving = put(isGoing).finally(() => (saving = null));
    return saving;
  }

  async function put(isGoing) {
    const isAgain = going !== null;
    const fields = (going ??= written()); // by its answer the revision is known
    first = 0;
    failure = undefined;
    state(words.saving);
    const body = new URLSearchParams(fields);
    try {
      const answer = await ask(url, {
        method: "PUT",
        body,
        csrf: "compose",
        headers: { "If-Match": `"${revision}"`, Accept: "application/json" },
        keepalive: isGoing && String(body).length < KEPT_ALIVE,
      });
      const said = await answer.json();
      if (answer.status === 409) return conflict(said.theirs);
      if (answer.status === 410) return gone();
      if (!answer.ok) return stop(words.large);
      saved(said, fields);
      return isAgain && !same(written(), fields) ? put(isGoing) : true;
    } catch (error) {
      failure = error;
      state(words.again, "warning");
      timer = setTimeout(save, AGAIN);
      return false;
    }
  }

  function saved(said, fields) {
    revision = said.rev;
    form.elements.rev.value = revision;
    kept = fields;
    going = null;
    if (same(written(), fields)) sessionStorage.removeItem(copyKey);
    else changed();
    drop("stop");
    // A file whose answer was lost.
    if (said.attachments.some(({ n }) => files.isNew(n))) files.show(said, drop("room"));
    state(words.saved.replace("{}", time(said.savedAt, { timeStyle: "short" })), "check");
    if (said.problem) notice("problem", said.problem);
    else drop("problem");
  }

  function stop(text, ...buttons) {
    clearTimeout(timer);
    state(text, "warning");
    notice("stop", text, ...buttons);
    return false;
  }

  /** Sent or thrown away meanwhile; what is written here may become another draft. */
  function gone() {
    isHeld = true;
    return stop(words.gone, button(words.mine, () => {
      const id = crypto.randomUUID().replaceAll("-", "");
      const fields = written();
      sessionStorage.setItem(`draft:${id}`, JSON.stringify({ revision: 0, fields }));
      over();
      location.assign(`/compose?draft=${id}${fields.original && `&${fields.purpose}=${fields.original}`}`);
    }));
  }

  // -- another page has it too

  function conflict(theirs) {
    if (!theirs) return gone();
    isHeld = true;
    state(words.newer, "warning");
    notice(
      "newer",
      words.newer,
      button(words.load, () => load(theirs)),
      button(words.mine, () => {
        revision = theirs.rev;
        isHeld = false;
        going = null;
        save();
      }),
    );
    return false;
  }

  function load(theirs) {
    fill({ ...theirs, html: theirs.htmlBody, text: theirs.textBody });
    revision = theirs.rev;
    isHeld = false;
    going = null;
    kept = written();
    sessionStorage.removeItem(copyKey);
    files.show(theirs, true);
    state("");
  }

  const onDraft = ({ detail }) => {
    if (!form.isConnected) return document.removeEventListener("mailkit:draft", onDraft);
    if (detail.draftId !== did || detail.rev <= revision || saving || going || isHeld || isOver) return;
    notice("newer", words.newer, button(words.load, () => location.assign(`/compose?draft=${did}`)));
  };
  document.addEventListener("mailkit:draft", onDraft);

  // -- what is said within the composer

  const button = (text, press, kind = "btn sm") =>
    make("button", { type: "button", class: kind, onclick: (event) => press(event.target.closest(".banner")?.remove()) }, text);
  const drop = (kind) => find(`[data-notice=${kind}]`)?.remove();

  function notice(kind, text, ...buttons) {
    drop(kind);
    const shown = make("div", { class: "banner", role: "alert", "data-notice": kind }, icon("warning"), make("span", { class: "grow" }, text), ...buttons);
    find("header").after(shown);
    return shown;
  }

  const files = attach(form, {
    notice,
    drop,
    changed: () => changed(),
    taken: () => editor && changed(editor.take(editor.html())), // without a picture that went
  });

  // -- sending

  const everybody = () => new Set(Object.values(lines).flatMap((line) => line.addresses()));

  function label() {
    const number = everybody().size;
    const text = number > MANY ? words.many.replace("{}", new Intl.NumberFormat(lang).format(number)) : words.send;
    const shown = find("#send");
    if (shown.lastChild.data !== text) shown.lastChild.data = text;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { submitter } = event;
    const action = submitter?.getAttribute("formaction") ?? "";
    if (action.endsWith("/delete")) return;
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    try {
      if (action.endsWith("/send")) await send(submitter);
      else if (action.endsWith("/discard")) await discard();
      else await save();
    } catch (error) {
      complain(error);
    } finally {
      form.ariaBusy = "false";
    }
  });

  async function send(submitter, confirmed = "") {
    for (const line of Object.values(lines)) line.finish();
    for (const bad of form.querySelectorAll(".hint.bad")) bad.remove();
    drop("question");
    await Promise.all(files.uploads);
    const missing = find("[data-notice=room]")?.textContent;
    if (missing) return drop("room"), question(missing, () => send(submitter, confirmed));
    if (!revision) kept = null; // so that its revision is known, should it come back
    if (!(await save())) return failure && complain(failure);
    const body = new URLSearchParams({ ...written(), rev: revision, when: submitter?.value ?? "now", confirmed });
    if (body.get("when") === "later")
      for (const name of ["at", "at_time"]) body.set(name, new FormData(form).get(name) ?? "");
    state(words.sending);
    let answer, said;
    try {
      answer = await ask(`${url}/send`, { method: "POST", body, csrf: "compose", headers: { Accept: "application/json" } });
      said = await answer.json();
    } finally {
      state("");
    }
    if (answer.status === 409) return conflict(said.theirs);
    if (answer.status === 422) return ruled(said, submitter);
    if (!answer.ok) return gone();
    leave(`?sent=${did}`);
    const leaves = time(said.holdUntil, { dateStyle: "medium", timeStyle: "short" });
    say(said.later ? words.leaves.replace("{}", leaves) : words.sent, said.holdUntil && (() => unsend(url, did)));
  }

  function question(text, press) {
    const anyway = button(words.anyway, () => press().catch(complain), "btn");
    notice("question", text, anyway);
    anyway.focus();
  }

  /** It was not sent: a question, or what is wrong with a field. */
  function ruled({ field, text, question: isQuestion }, submitter) {
    if (isQuestion) return question(text, () => send(submitter, "1"));
    const wrong = form.querySelector(`#${field}`);
    if (!wrong) return notice("question", text);
    const hint = make("p", { class: "hint bad", id: `${field}-bad`, role: "alert" }, text);
    wrong.closest(".cline").append(hint);
    wrong.closest("details")?.setAttribute("open", "");
    wrong.setAttribute("aria-describedby", hint.id);
    wrong.setAttribute("aria-invalid", "true");
    wrong.addEventListener("input", () => (hint.remove(), wrong.removeAttribute("aria-invalid")), { once: true });
    wrong.focus();
  }

  async function discard() {
    clearTimeout(timer);
    while (saving) await saving;
    await ask(`${url}/discard`, { method: "POST", csrf: "compose", headers: { Accept: "application/json" } });
    leave();
    say(words.discarded);
  }

  // -- leaving

  const outer = form.closest("dialog, #inline");

  function over() {
    isOver = true;
    clearTimeout(timer);
    clearTimeout(copying);
    sessionStorage.removeItem(copyKey);
    document.removeEventListener("visibilitychange", hide);
    removeEventListener("pagehide", hide);
  }

  /** done: what the next page is to say, if it does not come here. */
  function leave(done = "") {
    over();
    const back = form.elements.back.value || "/mail/inbox";
    if (outer) {
      outer.remove();
      if (document.activeElement === document.body) document.querySelector(".replybar a, .nav .compose")?.focus();
    } else swap(back).catch(() => location.assign(back + done));
  }

  find("header a").addEventListener("click", async (event) => {
    if (!outer) return save({ isGoing: true });
    event.preventDefault();
    if (await save()) leave();
  });
  outer?.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) find("header a").click();
  });

  function hide() {
    if (document.visibilityState !== "hidden" || !form.isConnected) return;
    copyNow();
    save({ isGoing: true });
  }
  const later = find("details.later");
  later?.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !later.open) return;
    event.preventDefault();
    later.open = false;
    later.firstElementChild.focus();
  });
  document.addEventListener("visibilitychange", hide);
  addEventListener("pagehide", hide);
  form.addEventListener("focusout", ({ relatedTarget }) => form.contains(relatedTarget) || save());
  for (const kind of ["input", "change"]) form.addEventListener(kind, ({ target }) => target.type === "file" || changed());

  const copied = JSON.parse(sessionStorage.getItem(copyKey) ?? "null");
  if (copied && !same(copied.fields, kept)) {
    // What was on its way when the page went is no version of somebody else.
    if (copied.revision >= revision || same(copied.going, kept)) (fill(copied.fields), changed());
    else notice("newer", words.unsaved, button(words.mine, () => (fill(copied.fields), changed())));
  }
  label();
  const text = editor?.body ?? area;
  if (document.activeElement !== text && !form.querySelector("[autofocus]"))
    (lines.to.value() ? text : find("#to")).focus({ preventScroll: true });
  if (isBegun) {
    kept = null;
    changed();
  }
  files.choose();
  form.dataset.ready = "";
}

async function unsend(url, did) {
  const answer = await ask(`${url}/unsend`, { method: "POST", csrf: "compose", headers: { Accept: "application/json" } });
  if (!answer.ok) return say((await answer.json()).text);
  await swap(`/compose?draft=${did}`);
}

/** A composer beside what is read. */
export async function dock(href) {
  const page = parse(await (await ask(href, { swap: "main" })).text());
  const form = page.getElementById("composer");
  const place = make("dialog", { class: "dock", "aria-label": form.querySelector("h1").textContent }, make("section", {}, document.adoptNode(form)));
  document.querySelector(".app").append(place);
  place.show();
  awake(place);
}
