// The form that signs in says which time zone the browser has.

for (const field of document.querySelectorAll("input[name=zone]"))
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
