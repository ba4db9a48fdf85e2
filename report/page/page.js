"use strict";
// Sorts and filters the tables of the report. Without it they are plain tables.
(() => {
  // Numbers inside a word sort as numbers: 10.0.0.9 before 10.0.0.10.
  const word = s => s.toLowerCase().replace(/\d+/g, d => d.padStart(6, "0")) || null;
  const number = s => {
    const n = parseFloat(s.replaceAll(",", ""));
    return Number.isNaN(n) ? (s === "·" ? 0 : null) : n;
  };

  // What a column sorts by: text, the first number of it, or the exact number in the title.
  function keyOf(th) {
    if (th.dataset.k === "t") return cell => number(cell.title);
    return th.classList.contains("n") || th.dataset.k === "n" ? cell => number(cell.textContent) : cell => word(cell.textContent);
  }

  function enhance(section) {
    const step = +section.dataset.rows; // rows in the document at first, and more at each press
    const body = section.querySelector("tbody");
    const tools = section.querySelector(".tools");
    const outcomeColumn = Array.from(section.querySelectorAll("tbody tr:first-child > *")).findIndex(c => c.classList.contains("o"));
    const all = Array.from(body.rows, (row, index) => ({ row, index, key: null, text: null }));
    let order = all, chosen = all, limit = step;

    const more = document.createElement("div");
    more.className = "more";
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    const addStep = button("Show " + step + " more", () => { limit += step; show(); });
    const addAll = button("Show all", () => { limit = Infinity; show(); });
    more.append(status, addStep, addAll);
    body.closest(".scroll").after(more);

    function button(text, press) {
      const b = document.createElement("button");
      b.type = "button";
      b.textContent = text;
      b.addEventListener("click", press);
      return b;
    }

    function show() {
      const n = Math.min(limit, chosen.length);
      const rows = document.createDocumentFragment();
      for (let i = 0; i < n; i++) rows.append(chosen[i].row);
      body.replaceChildren(rows);
      const whole = n === all.length;
      more.hidden = whole && !tools;
      addStep.hidden = addAll.hidden = n === chosen.length;
      status.textContent = (n === chosen.length ? n.toLocaleString("en") : n.toLocaleString("en") + " of " + chosen.length.toLocaleString("en")) +
        (chosen.length < all.length ? " rows that match, of " + all.length.toLocaleString("en") : " rows");
    }

    function filter() {
      const words = tools ? tools.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean) : [];
      const outcome = tools ? tools.querySelector("select").value : "";
      chosen = order.filter(r => {
        const cell = r.row.cells[outcomeColumn];
        if (outcome && (outcome === "failed" ? !cell.matches(".rejected, .unfinished, .silent") : cell.textContent !== outcome)) return false;
        if (!words.length) return true;
        r.text ??= Array.from(r.row.cells, c => c.textContent).join(" ").toLowerCase();
        return words.every(w => r.text.includes(w));
      });
      limit = step;
      show();
    }

    section.querySelectorAll("thead th").forEach((th, column) => {
      const key = keyOf(th);
      const b = button(th.textContent, () => {
        // Numbers start with the largest, words with A.
        const first = th.classList.contains("n") && column > 1 ? "descending" : "ascending";
        const second = first === "ascending" ? "descending" : "ascending";
        const dir = th.getAttribute("aria-sort") === first ? second : first;
        section.querySelectorAll("[aria-sort]").forEach(e => e.removeAttribute("aria-sort"));
        th.setAttribute("aria-sort", dir);
        const sign = dir === "ascending" ? 1 : -1;
        for (const r of all) r.key = key(r.row.cells[column]);
        order = all.slice().sort((a, b) => {
          if (a.key === b.key) return a.index - b.index;
          if (a.key === null) return 1; // what is not known stays at the end
          if (b.key === null) return -1;
          return a.key < b.key ? -sign : sign;
        });
        filter();
      });
      th.replaceChildren(b);
    });

    if (tools) {
      tools.hidden = false;
      tools.addEventListener("input", filter);
      tools.addEventListener("submit", e => e.preventDefault());
    }
    filter(); // also when the browser has kept the filter of an earlier visit
  }

  document.querySelectorAll(".sortable").forEach(enhance);
})();
