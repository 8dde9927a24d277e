"use strict";
// Shows what is new in the chat without a reload, and sends forms in the
// background. Without this script the forms work by themselves.
const chat = document.getElementById("chat");

function version() {
  return chat.querySelector("[data-version]").dataset.version;
}

async function refresh() {
  const answer = await fetch(chat.dataset.here + "&part=chat");
  if (!answer.ok) return;
  const low = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 80;
  chat.innerHTML = await answer.text();
  if (low) chat.scrollTop = chat.scrollHeight;
}

async function watch() {
  for (;;) {
    try {
      const known = version();
      const answer = await fetch("/changes?since=" + known);
      if (answer.ok && (await answer.text()) !== known) await refresh();
      else if (!answer.ok) throw new Error(answer.status);
    } catch {
      await new Promise((done) => setTimeout(done, 2000));
    }
  }
}

if (chat) {
  chat.scrollTop = chat.scrollHeight;
  document.addEventListener("submit", async (e) => {
    const form = e.target;
    if (form.getAttribute("action") !== "/act" || (e.submitter && e.submitter.value.endsWith("block"))) return;
    e.preventDefault();
    const data = new URLSearchParams(new FormData(form, e.submitter));
    const answer = await fetch("/act", { method: "POST", body: data });
    if (answer.ok && form.id === "write") form.reset();
    await refresh();
    chat.scrollTop = chat.scrollHeight;
  });
  const box = document.querySelector("#write textarea");
  box.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      box.form.requestSubmit();
    }
  });
  watch();
}
