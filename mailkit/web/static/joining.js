// Says whether an address can be had, while it is typed.

const LULL = 400; // ms without a key, before it is asked
const field = document.querySelector("[data-free]");
const hint = document.getElementById("name-hint");
const { domain, invitation } = field.form.elements;
let timer;

async function look() {
  const name = field.value;
  const asked = new URLSearchParams({ name, domain: domain.value, invitation: invitation?.value ?? "" });
  const answer = await fetch(`/register/free?${asked}`);
  if (!answer.ok || name !== field.value) return;
  const { isFree, text } = await answer.json();
  hint.textContent = text;
  hint.classList.toggle("bad", !isFree);
  field.ariaInvalid = !isFree;
}

function soon() {
  clearTimeout(timer);
  if (field.value) timer = setTimeout(() => look().catch(() => {}), LULL);
}

field.addEventListener("input", soon);
domain.addEventListener("change", soon);
