// Says whether an address can be had, while it is typed.

const field = document.querySelector("[data-free]");
const hint = document.getElementById("name-hint");
let timer;

async function look() {
  const asked = new URLSearchParams();
  for (const one of ["name", "domain", "invitation"]) asked.set(one, field.form[one]?.value ?? "");
  const answer = await fetch(`/register/free?${asked}`);
  if (!answer.ok || field.value !== asked.get("name")) return;
  const { isFree, text } = await answer.json();
  hint.textContent = text;
  hint.classList.toggle("bad", !isFree);
}

function soon() {
  clearTimeout(timer);
  if (field.value) timer = setTimeout(look, 400);
}

field.form.addEventListener("input", ({ target }) => target.type === "password" || soon());
if (field.value !== field.defaultValue) soon(); // It was typed before this came.
