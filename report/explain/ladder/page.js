"use strict";
// Shows what a step is about while it is pointed at or has the focus. Without it the
// ladder's steps are links to the same in the list.
(() => {
  const panel = document.createElement("aside");
  panel.hidden = true;
  panel.setAttribute("aria-hidden", "true"); // the link has it in its name, the list in full
  document.body.append(panel);

  function show(step) {
    const item = document.getElementById(step.getAttribute("href").slice(1));
    const box = step.getBoundingClientRect();
    panel.className = "panel " + item.className;
    panel.classList.toggle("top", (box.top + box.bottom) / 2 > window.innerHeight / 2);
    panel.replaceChildren(...Array.from(item.childNodes, n => n.cloneNode(true)));
    for (const title of step.querySelectorAll("title")) title.remove(); // else the browser shows it as well
    panel.hidden = false;
  }
  function hide() {
    const step = document.activeElement?.closest?.("a.step");
    if (step) show(step); else panel.hidden = true;
  }

  for (const step of document.querySelectorAll("a.step")) {
    step.addEventListener("pointerenter", e => { if (e.pointerType !== "touch") show(step); });
    step.addEventListener("pointerleave", hide);
    step.addEventListener("focus", () => show(step));
    step.addEventListener("blur", () => { panel.hidden = true; });
  }
  document.addEventListener("keydown", e => { if (e.key === "Escape") panel.hidden = true; });
})();
