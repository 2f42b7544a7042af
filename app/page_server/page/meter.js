// A level meter from -60 to 0 dB.

const FLOOR_DB = -60;
const HOT_DB = -1;

export function setMeter(element, level, peak) {
  const share = Math.min(1, Math.max(0, 1 - level / FLOOR_DB));
  element.firstElementChild.style.transform = `scaleX(${share.toFixed(3)})`;
  element.classList.toggle("hot", peak > HOT_DB);
  const now = String(Math.round(Math.min(0, Math.max(FLOOR_DB, level))));
  if (element.getAttribute("aria-valuenow") !== now) {
    element.setAttribute("aria-valuenow", now);
    element.setAttribute("aria-valuetext", `${now} dB`);
  }
}
