"use strict";
(() => {
  const data = JSON.parse(document.getElementById("words").textContent);
  const name = (id) => (id < 0 ? "no label" : data.labels[id]);
  const tip = document.getElementById("tip");
  const sentences = [...document.querySelectorAll(".sentence")];
  document.documentElement.classList.add("has-js");

  const element = (tag, text, className) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const row = (table, cells) => {
    const line = table.insertRow();
    for (const cell of cells) {
      const place = line.insertCell();
      if (cell instanceof Node) { place.append(cell); place.className = "bar"; }
      else { place.textContent = cell.text ?? cell; if (cell.differs) place.className = "differs"; }
    }
  };
  const wordData = (word) => data.sentences[+word.closest(".sentence").dataset.index][+word.dataset.index];

  let shown = null;
  const hide = () => {
    tip.hidden = true;
    if (shown) shown.removeAttribute("aria-describedby");
    shown = null;
  };
  const show = (word) => {
    const [label, likely, given] = wordData(word);
    shown = word;
    tip.replaceChildren(element("h4", word.querySelector("bdi").textContent));
    const first = element("table"), second = element("table");
    for (const [id, percent] of likely) {
      const bar = element("i");
      bar.style.width = `${percent}%`;
      row(first, [name(id), `${percent.toFixed(1)} %`, bar]);
    }
    given.forEach((id, place) => row(second, [data.sources[place], { text: name(id), differs: id !== label }]));
    tip.append(element("strong", data.reference), first, element("strong", "Sources"), second);
    tip.hidden = false;
    word.setAttribute("aria-describedby", "tip");
    const box = word.getBoundingClientRect(), size = tip.getBoundingClientRect();
    const left = Math.max(8, Math.min(box.left, innerWidth - size.width - 12));
    const above = box.bottom + size.height + 8 > innerHeight && box.top > size.height + 8;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above ? box.top - size.height - 6 : box.bottom + 6) + scrollY}px`;
  };

  const list = document.getElementById("sentences");
  const wordOf = (event) => event.target.closest?.(".w");
  list.addEventListener("mouseover", (event) => { const word = wordOf(event); if (word) show(word); });
  list.addEventListener("mouseout", (event) => { if (wordOf(event)) hide(); });
  list.addEventListener("focusin", (event) => { const word = wordOf(event); if (word) show(word); });
  list.addEventListener("focusout", hide);
  list.addEventListener("keydown", (event) => {
    const word = wordOf(event);
    if (event.key === "Escape") hide();
    if (!word || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    const words = [...word.parentElement.querySelectorAll(".w")];
    const back = getComputedStyle(word.parentElement).direction === "rtl" ? "ArrowRight" : "ArrowLeft";
    const place = words.indexOf(word);
    const next = event.key === "Home" ? 0 : event.key === "End" ? words.length - 1 : place + (event.key === back ? -1 : 1);
    if (!words[next]) return;
    event.preventDefault();
    word.tabIndex = -1;
    words[next].tabIndex = 0;
    words[next].focus();
  });

  const label = document.getElementById("by-label"), source = document.getElementById("by-source");
  const status = document.getElementById("filter-status");
  const matches = ([best, , given]) => {
    const wanted = label.value === "" ? null : +label.value;
    if (source.value === "") return wanted === null || best === wanted || given.includes(wanted);
    const own = given[+source.value];
    return own !== best && (wanted === null || own === wanted || best === wanted);
  };
  const filter = () => {
    hide();
    const active = label.value !== "" || source.value !== "";
    let count = 0;
    for (const sentence of sentences) {
      let any = false;
      for (const word of sentence.querySelectorAll(".w")) {
        const match = active && matches(wordData(word));
        word.classList.toggle("match", match);
        any ||= match;
      }
      sentence.hidden = active && !any;
      count += sentence.hidden ? 0 : 1;
    }
    status.textContent = `${count} of ${sentences.length} sentences shown`;
  };
  label.addEventListener("change", filter);
  source.addEventListener("change", filter);
  document.getElementById("filter-reset").addEventListener("click", () => { label.value = source.value = ""; filter(); });
  filter();
})();
