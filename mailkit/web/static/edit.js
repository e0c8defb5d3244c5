// A small editor for rich text: bold, italic, list, link, quote. What comes in from outside
// is built anew, element by element, of what a message may have.

import { icon, make } from "./notices.js";
import { parse } from "./swap.js";

const ALLOWED = new Set(
  "A B BLOCKQUOTE BR CODE DIV EM H1 H2 H3 HR I IMG LI OL P PRE S SPAN STRONG SUB SUP TABLE TBODY TD TH THEAD TR U UL".split(" "),
);
const DROPPED = new Set("SCRIPT STYLE TITLE HEAD TEXTAREA SELECT TEMPLATE IFRAME OBJECT SVG MATH NOSCRIPT".split(" "));
const DEEPEST = 100;
const COMMANDS = [
  ["bold", "bold", "b"],
  ["italic", "italic", "i"],
  ["list", "insertUnorderedList"],
  ["link", "createLink"],
  ["quote", "quote"],
];

const isAddress = (href) => /^(https?:\/\/|mailto:|tel:)/i.test(href);

/** Copies what is allowed of nodes into another; `src` tells where a picture is, or nothing. */
function copy(nodes, into, src, depth = 0) {
  for (const node of nodes) {
    if (node.nodeType === Node.TEXT_NODE) into.append(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.tagName.toUpperCase())) continue;
    if (!ALLOWED.has(node.tagName) || depth > DEEPEST) {
      copy(node.childNodes, into, src, depth);
      continue;
    }
    const made = document.createElement(node.tagName);
    const href = node.getAttribute("href")?.trim() ?? "";
    if (node.tagName === "A" && isAddress(href)) made.href = href;
    if (node.tagName === "BLOCKQUOTE" && node.getAttribute("type") === "cite") made.setAttribute("type", "cite");
    for (const name of ["dir", "start", "colspan", "rowspan", "alt", "width", "height"])
      if (node.hasAttribute(name)) made.setAttribute(name, node.getAttribute(name));
    if (node.tagName === "IMG") {
      const found = src(node.getAttribute("src") ?? "");
      if (!found) continue;
      made.setAttribute("src", found);
    }
    copy(node.childNodes, made, src, depth + 1);
    into.append(made);
  }
  return into;
}

const lines = (text) =>
  text.split(/\r?\n/).map((line) => make("div", {}, line || document.createElement("br")));

/** Behind these lines. */
function goOn(body, before) {
  const line = body.children[before.length - 1] ?? body;
  const text = line.firstChild;
  body.focus({ preventScroll: true });
  if (text?.data) getSelection().collapse(text, before.at(-1).length);
  else getSelection().collapse(line, 0);
}

/**
 * Puts an editor in the place of a textarea; whoever types in it goes on.
 *
 * words: names of the buttons. shownAt: where a picture of the message (cid:…) is shown;
 * idOf: the other way round.
 */
export function edit(area, { html, tools, words, shownAt, idOf }) {
  const body = make("div", {
    class: "cbody",
    id: "body",
    role: "textbox",
    contenteditable: "true",
    "aria-multiline": "true",
    "aria-label": area.ariaLabel,
    dir: "auto",
  });
  const take = (text) => (body.replaceChildren(), put(text));
  const put = (text) => copy(parse(text).body.childNodes, body, (src) => src.startsWith("cid:") && shownAt(src.slice(4)));
  // What was typed before this came stands above, or among what was there as text.
  const { value: typed, defaultValue: given } = area;
  const above = typed.endsWith(given) && typed.slice(0, typed.length - given.length);
  const isRich = html && above !== false;
  const own = isRich ? above : typed;
  if (own || !isRich) body.append(...lines(own));
  if (isRich) put(html);
  const isBusy = document.activeElement === area;
  area.hidden = area.disabled = true;
  area.after(body);
  if (isBusy) goOn(body, own.slice(0, area.selectionStart).split("\n"));
  document.execCommand("defaultParagraphSeparator", false, "div");
  const say = () => body.dispatchEvent(new Event("input", { bubbles: true }));

  // -- what is pasted

  body.addEventListener("paste", (event) => {
    const { clipboardData: board } = event;
    if (event.defaultPrevented) return;
    event.preventDefault();
    const rich = board.getData("text/html");
    if (!rich) return document.execCommand("insertText", false, board.getData("text/plain"));
    const made = copy(parse(rich).body.childNodes, document.createDocumentFragment(), () => "");
    const last = made.lastChild;
    const range = getSelection().getRangeAt(0);
    range.deleteContents();
    range.insertNode(made);
    if (last) getSelection().collapse(last.parentNode, [...last.parentNode.childNodes].indexOf(last) + 1);
    say();
  });

  // -- what buttons do

  const within = (selector) => {
    const node = getSelection().anchorNode;
    const found = (node?.closest ? node : node?.parentElement)?.closest(selector);
    return found && body.contains(found) ? found : null;
  };
  const run = {
    createLink() {
      if (within("a")) return document.execCommand("unlink");
      const range = getSelection().rangeCount && getSelection().getRangeAt(0);
      const said = prompt(words.address, "https://");
      if (!said || said === "https://") return;
      const href = isAddress(said) ? said : said.includes("@") ? `mailto:${said}` : `https://${said}`;
      body.focus();
      if (range) getSelection().setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
      if (getSelection().isCollapsed) document.execCommand("insertText", false, said);
      if (getSelection().isCollapsed) getSelection().modify("extend", "backward", "word");
      document.execCommand("createLink", false, href);
    },
    quote() {
      const quote = within("blockquote");
      if (quote) document.execCommand("outdent");
      else document.execCommand("formatBlock", false, "blockquote");
    },
  };
  const press = (command) => {
    body.focus();
    if (run[command]) run[command]();
    else document.execCommand(command);
    show();
  };
  const buttons = COMMANDS.map(([name, command, key]) => {
    const title = key ? `${words[name]} (Ctrl+${key.toUpperCase()})` : words[name];
    const button = make("button", { type: "button", class: "ib", "aria-label": words[name], title, "aria-pressed": "false" }, icon(name));
    // The selection stays where it is.
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => press(command));
    return button;
  });
  tools.append(...buttons);
  const states = [() => document.queryCommandState("bold"), () => document.queryCommandState("italic"), () => within("ul"), () => within("a"), () => within("blockquote")];
  const show = () => buttons.forEach((one, n) => (one.ariaPressed = Boolean(states[n]())));
  for (const kind of ["keyup", "mouseup", "focus"]) body.addEventListener(kind, show);

  return {
    body,
    take,
    /** What is written, as it is to be sent; empty: nothing. */
    html() {
      const copied = copy(body.childNodes, document.createElement("div"), (src) => idOf(src) && `cid:${idOf(src)}`);
      return copied.textContent.trim() || copied.querySelector("img") ? copied.innerHTML : "";
    },
  };
}
