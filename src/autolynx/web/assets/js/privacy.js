// The download of what is kept of a person: the number goes in the body of a request, which no link can do.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? event.target.closest("#person-download") : null;
  if (!button) return;
  button.disabled = true;
  try {
    const token = document.querySelector('meta[name="csrf-token"]');
    const answer = await fetch("/api/privacy/export", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(token ? { "X-CSRF-Token": token.content } : {}) },
      body: JSON.stringify({ phone: button.dataset.person }),
    });
    if (!answer.ok) throw new Error((await answer.json()).error.message);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = "person.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  } catch (problem) {
    say(problem instanceof TypeError ? "The server did not answer. Try again." : problem.message, "bad");
  } finally {
    button.disabled = false;
    button.focus();
  }
});
