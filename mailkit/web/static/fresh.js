// The list as it is now on the server comes into the list that is shown: rows that stay
// are the same elements, and none moves away from whoever points at it.

import { acts, list } from "./list.js";
import { drop, pill, several } from "./live.js";
import { ask, parse } from "./swap.js";

const GATHERED = 40; // ms in which events are waited for that come together

let timer;
let isAsking;
let held; // what has the focus
let pending; // what the list is to become, once nobody is in its way
let since; // what had been done when that was asked for

/** Something in the list may have changed. */
export function look() {
  clearTimeout(timer);
  // Nobody sees it: once is enough, when somebody does.
  if (document.hidden) document.addEventListener("visibilitychange", look, { once: true });
  else timer = setTimeout(fetchList, GATHERED);
}

async function fetchList() {
  const old = list();
  if (!old) return;
  if (isAsking || acts.now || isPressed() || old.ariaBusy === "true") return look();
  isAsking = true;
  const before = acts.all;
  try {
    const page = parse(await (await ask(location.href, { swap: "list" })).text());
    // It may know nothing of them yet; what is pressed has to be there when it is let go.
    if (acts.all !== before || isPressed()) return look();
    const fresh = page.getElementById("list");
    if (!fresh || list() !== old) return;
    since = before;
    settle((pending = document.adoptNode(fresh)));
  } catch {
    // The next event asks again; what is done by hand says what is wrong.
  } finally {
    isAsking = false;
  }
}

const rows = (within) => [...within.querySelectorAll(".row")];
const tick = (row) => row.querySelector(".ck input");
const key = (row) => tick(row).value;
const face = (row) => [row.classList.contains("un"), row.querySelector(".star").ariaPressed, row.textContent].join();

/** Somebody presses something in the list, and has not let it go. */
const isPressed = () => list()?.matches(":active");

/** Nobody points at a row, has chosen one, or has scrolled away. */
const isFree = () => scrollY < 40 && !isPressed() && !list().querySelector(".row .ck :checked, .row:hover");

function settle(fresh, isWanted) {
  const old = list();
  const known = new Map(rows(old).map((row) => [key(row), row]));
  const mayMove = isWanted || isFree();
  held = document.activeElement;
  let count = 0;
  for (const row of rows(fresh)) {
    const before = known.get(key(row));
    if (!before) {
      count += 1;
      row.classList.add("fresh");
      continue;
    }
    renew(before, row.cloneNode(true));
    if (mayMove) row.replaceWith(before);
  }
  if (mayMove) replace(old, fresh);
  else if (count) pill("new", several(count), () => (scrollTo(0, 0), come(true)));
  document.dispatchEvent(new CustomEvent("mailkit:rows", { detail: old }));
}

/** All but the bar, where people may be busy, is that of the server. */
function replace(old, fresh) {
  const kept = ":scope > input, :scope > button, :scope > .bar";
  old.querySelector(".pager")?.replaceWith(fresh.querySelector(".pager"));
  for (const one of fresh.querySelectorAll(kept)) one.remove();
  old.replaceChildren(...old.querySelectorAll(kept), ...fresh.childNodes);
  for (const all of old.querySelectorAll("[data-all]")) all.value = rows(old).map(key).join(" ");
  pending = undefined;
  drop("new");
  if (held !== document.activeElement && held.isConnected) held.focus({ preventScroll: true });
}

/** A row looks as the server has it; its tick and the focus stay. */
function renew(old, fresh) {
  if (face(old) === face(fresh)) return;
  const isIn = old.contains(document.activeElement);
  tick(fresh).checked = tick(old).checked;
  old.className = fresh.className;
  old.replaceChildren(...fresh.childNodes);
  if (isIn) (held = old.querySelector(".subj")).focus({ preventScroll: true });
}

/** What waits is shown, unless something was done that it does not know. */
function come(isWanted) {
  if (!pending || !list() || !(isWanted || isFree())) return;
  if (acts.all === since) settle(pending, isWanted);
  else look();
}

const retry = () => setTimeout(come);
document.addEventListener("pointerout", retry);
document.addEventListener("change", retry);
addEventListener("scrollend", retry);
document.addEventListener("mailkit:swap", () => {
  pending = undefined;
  drop("new");
});
