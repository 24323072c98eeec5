// Uses the page as a reader would, and leaves what happened in an element of its own.
const report = {};
const label = document.getElementById("by-label"), source = document.getElementById("by-source");
const seen = () =>
  [...document.querySelectorAll(".sentence")].filter((s) => !s.hidden).map((s) => +s.dataset.index);
const choose = (list, value) => {
  list.value = value;
  list.dispatchEvent(new Event("change"));
};
choose(label, "4");
report.label = seen();
choose(source, "1");
report.both = seen();
report.status = document.getElementById("filter-status").textContent;
document.getElementById("filter-reset").click();
report.all = seen().length;

const tip = document.getElementById("tip");
const focused = () => document.activeElement;
const press = (key) => focused().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
document.querySelector('.w[tabindex="0"]').focus();
report.shown = !tip.hidden && focused().getAttribute("aria-describedby") === "tip";
report.tip = tip.innerText;
press("Home");
report.home = focused().dataset.index;
press("ArrowRight");
report.next = focused().dataset.index;
press("Escape");
report.hidden = tip.hidden;
const out = document.createElement("pre");
out.id = "probe";
out.textContent = JSON.stringify(report);
document.body.append(out);
