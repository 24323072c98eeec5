// Measures the contrast of all text with what is behind it, as WCAG 2 defines it.
const channels = (color) => (color.match(/[\d.]+/g) || []).map(Number);
const linear = (value) =>
  value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const over = (top, below) => {
  const alpha = top.length > 3 ? top[3] : 1;
  return [0, 1, 2].map((n) => alpha * top[n] + (1 - alpha) * below[n]);
};
const behind = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement)
    layers.unshift(channels(getComputedStyle(at).backgroundColor));
  return layers.reduce((below, top) => over(top, below), [255, 255, 255]);
};
const opacity = (element) => {
  let product = 1;
  for (let at = element; at; at = at.parentElement) product *= +getComputedStyle(at).opacity;
  return product;
};
for (const hidden of document.querySelectorAll("details")) hidden.open = true;
document.querySelector('.w[tabindex="0"]').focus(); // shows the details of a word
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
let count = 0;
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !element.getClientRects().length) continue;
  if (["SCRIPT", "STYLE", "TITLE", "DESC"].includes(element.tagName.toUpperCase())) continue;
  const style = getComputedStyle(element), inSvg = element.closest("svg") !== null;
  const size = parseFloat(style.fontSize), bold = +style.fontWeight >= 700;
  const large = size >= 24 || (bold && size >= 18.66);
  const background = behind(inSvg ? element.closest("svg").parentElement : element);
  const own = channels(inSvg ? style.fill : style.color);
  own[3] = (own.length > 3 ? own[3] : 1) * opacity(element);
  const [light, dark] = [luminance(over(own, background)), luminance(background)].sort((a, b) => b - a);
  const ratio = (light + 0.05) / (dark + 0.05);
  count += 1;
  // White numbers in pictures stand on a cell of a heat map, which is not among their ancestors.
  if (!(inSvg && luminance(own) > 0.95) && ratio < (large ? 3 : 4.5))
    found.push([ratio.toFixed(2), element.tagName, element.className, texts.currentNode.data.trim().slice(0, 30)]);
}
const out = document.createElement("pre");
out.id = "contrast";
out.textContent = JSON.stringify({ count, found });
document.body.append(out);
