// One conversation: frames as high as their message, files looked at in place, an answer
// below what it answers.

import { complain, make, word } from "./notices.js";
import { ask, awake, fieldsOf, parse } from "./swap.js";

const MOST = 50_000; // px; a message beyond scrolls in its frame
const fitted = new WeakSet(); // documents; one may be there before it is loaded

/** Begins with the element of a conversation. */
export function start(conv) {
  for (const frame of conv.querySelectorAll("iframe[data-message]")) {
    frame.addEventListener("load", () => fit(frame));
    fit(frame);
  }
  conv.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.target.closest("a");
    if (link?.matches("[data-view]")) look(event, link, conv);
    else if (link?.matches(".replybar a, .answers a")) answer(event, link);
  });
  const after = Number(conv.dataset.readAfter);
  if (after) setTimeout(() => markRead(conv), after);
  conv.dataset.ready = "";
}

/** The frame is as high as its document; mail brings no scripts, so we measure. */
function fit(frame) {
  const root = frame.contentDocument?.documentElement;
  if (!root || frame.contentWindow.location.protocol === "about:" || fitted.has(root)) return;
  fitted.add(root);
  const measure = () => {
    const bar = root.scrollWidth > root.clientWidth ? 18 : 0;
    const height = Math.ceil(root.getBoundingClientRect().height) + bar;
    if (height) frame.style.blockSize = `${Math.min(height, MOST)}px`;
  };
  new ResizeObserver(measure).observe(root);
  measure();
  // Keys that are pressed within the message are ours as well.
  frame.contentDocument.addEventListener("keydown", (event) => {
    const copy = new KeyboardEvent("keydown", { ...pick(event), bubbles: true, cancelable: true });
    if (!frame.dispatchEvent(copy)) event.preventDefault();
  });
}

const pick = ({ key, ctrlKey, metaKey, shiftKey, altKey, repeat }) => ({ key, ctrlKey, metaKey, shiftKey, altKey, repeat });

function markRead(conv) {
  if (!conv.isConnected) return;
  if (document.hidden)
    return document.addEventListener("visibilitychange", () => markRead(conv), { once: true });
  const fields = fieldsOf(document.querySelector("form[data-act=conv]"));
  fields.set("op", "read");
  fields.set("quiet", "1");
  ask("/act", { method: "POST", body: fields }).catch(() => {});
}

// -- files

/** A picture or a text in a dialog; what else a browser shows has a tab of its own. */
function look(event, link, conv) {
  const kind = link.dataset.view;
  if (kind !== "picture" && kind !== "text") return;
  event.preventDefault();
  const all = [...conv.querySelectorAll("a[data-view=picture], a[data-view=text]")];
  let at = all.indexOf(link);
  const name = make("h2", { class: "grow ell", dir: "auto" });
  const save = make("a", { class: "btn sm", download: "" }, word("download"));
  const close = make("button", { class: "btn sm", type: "button", autofocus: "", onclick: () => dialog.close() }, word("close"));
  const body = make("div", { class: "look", tabindex: "0" });
  const dialog = make("dialog", { class: "files", "aria-label": word("file") }, make("header", {}, name, save, close), body);
  const show = (by) => {
    at = (at + by + all.length) % all.length;
    const one = all[at];
    name.textContent = one.querySelector("bdi").textContent;
    save.href = one.href.replace(/\/view$/, `/${encodeURIComponent(name.textContent)}`);
    body.replaceChildren();
    if (one.dataset.view === "picture") body.append(make("img", { src: one.href, alt: name.textContent }));
    else
      ask(one.href).then((answer) => answer.text()).then((text) => {
        if (one === all[at]) body.replaceChildren(make("pre", { dir: "auto" }, text));
      }, complain);
  };
  dialog.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowRight" || key === "ArrowLeft") show((key === "ArrowRight") === (document.dir !== "rtl") ? 1 : -1);
  });
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    link.focus();
  });
  document.body.append(dialog);
  show(0);
  dialog.showModal();
}

// -- answering

/** The composer below the conversation, where it can live outside of its page. */
async function answer(event, link) {
  event.preventDefault();
  try {
    // Whoever types at once types into what stays.
    const [said] = await Promise.all([ask(link.href, { swap: "main" }), import("./compose.js")]);
    const page = parse(await said.text());
    const form = page.querySelector("#composer[data-module]");
    if (!form) return location.assign(link.href);
    document.getElementById("inline")?.remove();
    const place = make("section", { id: "inline", class: "inline", "aria-label": link.textContent.trim() }, document.adoptNode(form));
    (link.closest(".msg") ?? link.closest(".replybar")).after(place);
    awake(place);
    place.scrollIntoView({ block: "center" });
    (form.querySelector("[autofocus]") ?? form.querySelector("textarea, input:not([type=hidden])")).focus();
  } catch (error) {
    complain(error);
  }
}
