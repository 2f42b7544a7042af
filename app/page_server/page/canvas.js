// A canvas that is as sharp as the screen, and the colours of the page for drawing on it.

export function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  const changed = canvas.width !== width || canvas.height !== height;
  if (changed && width > 0 && height > 0) Object.assign(canvas, { width, height });
  return { context: canvas.getContext("2d"), ratio, changed };
}

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export const still = matchMedia("(prefers-reduced-motion: reduce)");
