// Times in the viewer's zone, with UTC at hand; and a second click on a form sends nothing. Pages work without this file.
"use strict";
for (const one of document.querySelectorAll("time[datetime]")) {
  const at = new Date(one.dateTime);
  if (!Number.isNaN(at.getTime())) {
    one.title = one.textContent;
    one.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "long" });
  }
}
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); }
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) { delete form.dataset.sent; }
});
