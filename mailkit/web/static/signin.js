// The session is over: the password is asked for on top of the page, and what was typed stays.

import { make, word } from "./notices.js";
import { meta, parse } from "./swap.js";

let asking;

/**
 * Asks for the password on top of the page where the session is over (401). Where it is
 * not (403), another tab may have signed in again: its session is this one's, its tokens
 * are not yet. Tokens of the page and in `body` become new ones.
 */
export async function renew(status, body) {
  const action = forms().find((one) => one.value === body?.get?.("t"))?.dataset.for;
  if (status === 401) await (asking ??= openSignIn().then(take).finally(() => (asking = undefined)));
  else {
    const page = parse(await (await fetch("/mail/inbox")).text());
    if (accountOf(page) === accountOf(document)) take(page);
  }
  if (action) body.set("t", meta(`csrf-${action}`));
}

const accountOf = (page) => page.querySelector("meta[name=mailkit-account]")?.content;

const forms = () => [...document.querySelectorAll("input[name=t][data-for]")];

function take(page) {
  for (const one of page.querySelectorAll("meta[name^=csrf-]"))
    document.querySelector(`meta[name="${one.name}"]`).content = one.content;
  for (const one of forms()) one.value = meta(`csrf-${one.dataset.for}`);
}

async function openSignIn() {
  const form = document.adoptNode(parse(await (await fetch("/login?over=1")).text()).querySelector("form"));
  const name = form.elements.username;
  name.value = meta("mailkit-account");
  const dialog = make("dialog", { class: "signin", "aria-label": word("signIn") }, form);
  document.body.append(dialog);
  dialog.showModal();
  form.elements.password.focus();
  return new Promise((done) => {
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    const load = async (...asked) => parse(await (await fetch(...asked)).text());
    const formOf = (page) => page.querySelector("form[action='/login']");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      let said = make("div", { class: "banner bad", role: "alert" }, word("lost"));
      try {
        let page = await load("/login", { method: "POST", body: new URLSearchParams(new FormData(form)) });
        // Somebody else answered, or the answer before was lost.
        if (!formOf(page) && !accountOf(page)) page = await load("/mail/inbox");
        if (accountOf(page)) {
          if (accountOf(page) !== accountOf(document)) return location.assign("/mail/inbox");
          dialog.remove();
          return done(page);
        }
        const again = formOf(page);
        form.elements.t.value = again.elements.t.value;
        said = again.querySelector(".banner") ?? said;
      } catch {
        // It may be tried again.
      }
      form.querySelector(".banner")?.remove();
      form.querySelector("h1").after(document.adoptNode(said));
      form.elements.password.select();
    });
  });
}
