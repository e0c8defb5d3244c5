// The files of a letter: by button, drop and paste, with how far they are.

import { complain, icon, make } from "./notices.js";
import { ask, meta, parse } from "./swap.js";

const METER = `<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none"><rect class="tr" height="6" width="100"/><rect class="fl" height="6" width="0"/></svg>`;
const SHOWN = /^image\/(avif|gif|jpeg|png|webp)$/; // what is a picture in the text
const lang = document.documentElement.lang;

const size = (octets) => {
  const [unit, of, digits] = octets >= 1e6 ? ["MB", octets / 1e6, 1] : ["KB", Math.ceil(octets / 1e3), 0];
  return `${new Intl.NumberFormat(lang, { maximumFractionDigits: digits }).format(of)} ${unit}`;
};

/**
 * Begins with a composer's form.
 *
 * notice and drop: what is said in it. changed: a picture came into the text; taken: a file
 * went. Gives what shows those of an answer, what takes those that were chosen before, and
 * the uploads that are under way.
 */
export function attach(form, { notice, drop, changed, taken }) {
  const find = (selector) => form.querySelector(selector);
  const words = find("template").dataset;
  const url = `/compose/${form.dataset.draft}`;
  const ups = find("#ups");
  let left = Number(form.dataset.room);

  // The page's own field: whoever is choosing while this begins chooses in it.
  const nojs = find(".nojs");
  const picker = nojs.querySelector("input");
  picker.hidden = true;
  picker.removeAttribute("name");
  picker.ariaLabel = words.attach;
  nojs.replaceWith(picker);
  function choose() {
    for (const file of picker.files) upload(file);
    picker.value = "";
  }
  picker.addEventListener("change", choose);
  const clip = make("button", { type: "button", class: "ib", onclick: () => picker.click() }, icon("clip"));
  find("#tools").prepend(clip);

  const free = () => words.room.replace("{}", size(form.dataset.most)).replace("{}", size(left));
  const room = () => (clip.title = clip.ariaLabel = `${words.attach} (${free()})`);
  room();

  const uploads = new Set();
  const removed = new Set(); // numbers of files
  const cross = (text, name, more) => make("button", { type: "button", class: "ib", "aria-label": text.replace("{}", name), ...more }, icon("close"));

  /** at: where in the text a picture was pasted. */
  function upload(file, at, isAgain) {
    const name = file.name || "picture.png";
    if (file.size > left) return notice("room", `${free()}: ${name}, ${size(file.size)}`);
    drop("room");
    left -= file.size;
    const meter = document.adoptNode(parse(METER).querySelector("svg"));
    const said = make("small", { class: "muted num", role: "progressbar", "aria-label": name });
    const request = new XMLHttpRequest();
    const cancel = cross(words.cancel, name, { onclick: () => request.abort(row.remove()) });
    const row = make("div", { class: "up" }, icon(file.type.startsWith("image/") ? "picture" : "file"), make("span", { class: "ell", dir: "auto" }, name), said, cancel, meter);
    ups.append(row);
    const progress = (part) => {
      said.textContent = `${Math.round(part * 100)}% · ${size(file.size)}`;
      said.ariaValueNow = Math.round(part * 100);
      meter.lastChild.setAttribute("width", part * 100);
    };
    progress(0);
    request.upload.onprogress = (event) => progress(event.loaded / event.total);
    const over = new Promise((done) => {
      request.onloadend = () => done(uploaded(request, row, file, at, isAgain).catch(() => refused(file)));
    }).finally(() => uploads.delete(over));
    uploads.add(over);
    const data = new FormData();
    for (const key of ["purpose", "original"]) data.append(key, form.elements[key].value);
    if (at) data.append("within", 1);
    data.append("file", file, name);
    request.open("POST", `${url}/att`);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF", meta("csrf-compose"));
    request.send(data);
    return over;
  }

  async function uploaded({ status, responseText }, row, file, at, isAgain) {
    const isWanted = row.isConnected;
    let said = status === 200 && JSON.parse(responseText);
    // Its answer may be lost, and the file be there.
    if (isWanted && (!status || status >= 500)) said = await stored(file);
    row.remove();
    if (said) {
      show(said);
      if (at) {
        at.insertNode(make("img", { src: said.added[0].url, alt: file.name }));
        at.collapse();
        changed();
      }
      return;
    }
    left += file.size;
    room();
    if ([401, 403].includes(status) && !isAgain) {
      await (await import("./signin.js")).renew(status);
      return upload(file, at, true);
    }
    if (isWanted) refused(file);
  }

  const refused = ({ name }) => notice("room", words.refused.replace("{}", name));

  const isNew = (number) => !removed.has(`${number}`) && !ups.querySelector(`[data-n="${number}"]`);

  /** An answer about a file, if the server has it. */
  async function stored({ size }) {
    const said = await ask(`${url}/state`).then((answer) => answer.json()).catch(() => ({}));
    said.added = said.attachments?.filter((one) => one.size === size && isNew(one.n));
    return said.added?.length && said;
  }

  /**
   * Files of an answer; one that was overtaken by another takes none away. A number stays
   * with its file, and a row that is there where it is: somebody may be pressing its button.
   */
  function show({ attachments, left: now }, isAll) {
    left = now ?? left;
    const has = (number) => attachments.some((file) => `${file.n}` === number);
    for (const row of ups.querySelectorAll("[data-n]")) {
      const { n } = row.dataset;
      // Without a link it was there before the draft was.
      if (removed.has(n) || (isAll && !has(n)) || !row.querySelector("a")) row.remove();
    }
    for (const file of attachments.filter(({ n }) => isNew(n))) {
      const row = make(
        "div",
        { class: "up", "data-n": file.n, "data-cid": file.cid },
        icon(file.type.startsWith("image/") ? "picture" : "file"),
        make("a", { class: "ell", href: file.url, dir: "auto" }, file.name),
        make("small", { class: "muted num" }, size(file.size)),
        cross(words.remove, file.name),
      );
      ups.insertBefore(row, [...ups.children].find(({ dataset: { n } }) => !n || n - file.n > 0));
    }
    room();
  }

  ups.addEventListener("click", async (event) => {
    const away = event.target.closest("button");
    const number = away?.closest("[data-n]")?.dataset.n;
    if (!number) return;
    event.preventDefault();
    try {
      const answer = await ask(`${url}/att/${number}`, { method: "DELETE", csrf: "compose" });
      removed.add(number);
      show(await answer.json());
      taken();
      (ups.querySelector("button") ?? clip).focus();
    } catch (error) {
      complain(error);
    }
  });

  const filesOf = (event) => [...(event.dataTransfer ?? event.clipboardData).files];
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  // Beside the composer a file would take the place of the page.
  for (const kind of ["dragover", "drop"])
    document.addEventListener(kind, (event) => form.isConnected && hasFiles(event) && event.preventDefault());
  form.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    form.classList.add("over");
  });
  for (const kind of ["dragleave", "drop"])
    form.addEventListener(kind, (event) => event.relatedTarget && form.contains(event.relatedTarget) || form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    for (const file of filesOf(event)) upload(file);
  });
  form.addEventListener(
    "paste",
    (event) => {
      const files = filesOf(event);
      // Office programs put a picture of the text beside the text.
      if (!files.length || event.clipboardData.types.includes("text/html")) return;
      event.preventDefault();
      const at = event.target.closest("#body") && getSelection().rangeCount && getSelection().getRangeAt(0);
      for (const file of files) upload(file, SHOWN.test(file.type) && at);
    },
    true,
  );

  return { show, choose, uploads, isNew };
}
