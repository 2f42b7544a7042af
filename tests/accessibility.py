"""Checks of pages for people who use a keyboard, a screen reader, or need contrast (WCAG 2.2 AA).

With axe-core (``AXE_CORE`` names its ``axe.min.js``, or it lies in ``node_modules``) all of its
rules are checked; without it those that are written down here.
"""

from __future__ import annotations

import os
from pathlib import Path

from .chromium import Page

# Controls have names, pictures texts, headings an order, ids one element, a page its landmarks.
_CHECKS = r"""
(() => {
  const faults = [];
  const shown = (e) => e.checkVisibility();
  const name = (e) => (e.getAttribute("aria-label") || (e.labels && [...e.labels].map((l) =>
    l.textContent).join(" ")) || e.getAttribute("title") || e.textContent || "").trim();
  for (const e of document.querySelectorAll("a[href], button, input, select, textarea, summary"))
    if (shown(e) && !name(e)) faults.push(`no name: ${e.outerHTML.slice(0, 90)}`);
  for (const e of document.querySelectorAll("img"))
    if (!e.hasAttribute("alt")) faults.push(`no alt: ${e.outerHTML.slice(0, 60)}`);
  for (const e of document.querySelectorAll("svg")) {
    const by = (e.getAttribute("aria-labelledby") || "").split(" ").filter(Boolean);
    if (e.getAttribute("aria-hidden") !== "true" && !e.getAttribute("aria-label") &&
        !(by.length && by.every((id) => document.getElementById(id)?.textContent)))
      faults.push(`svg without a name: ${e.outerHTML.slice(0, 90)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids)) if (ids.filter((i) => i === id).length > 1)
    faults.push(`id twice: ${id}`);
  for (const attribute of ["aria-labelledby", "for", "aria-describedby"])
    for (const e of document.querySelectorAll(`[${attribute}]`))
      for (const id of e.getAttribute(attribute).split(" "))
        if (!ids.includes(id)) faults.push(`${attribute} to nothing: ${id}`);
  let level = 0;
  for (const e of document.querySelectorAll("h1, h2, h3, h4")) {
    const next = Number(e.tagName[1]);
    if (next > level + 1) faults.push(`heading after ${level}: ${e.outerHTML.slice(0, 60)}`);
    level = next;
  }
  for (const [tag, count] of [["main", 1], ["h1", 1]])
    if (document.querySelectorAll(tag).length !== count) faults.push(`not one ${tag}`);
  if (!document.documentElement.lang || !document.title) faults.push("no language or no title");
  for (const e of document.querySelectorAll("th")) if (!e.scope) faults.push("th without scope");
  for (const e of document.querySelectorAll("*")) {
    const style = getComputedStyle(e);
    if (/auto|scroll/.test(style.overflowX + style.overflowY) && shown(e) &&
        (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1) &&
        e !== document.documentElement && e.tabIndex < 0 &&
        !e.querySelector("a[href], button, input, select"))
      faults.push(`scrolls, and no key reaches it: ${e.outerHTML.slice(0, 60)}`);
  }
  return faults;
})()
"""

_AXE = """
axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
                              "best-practice"] })
  .then((found) => found.violations.flatMap((rule) => rule.nodes.slice(0, 3).map((node) =>
    `${rule.id}: ${node.html.slice(0, 160)}: ${node.failureSummary.slice(0, 200)}`)))
"""

_CONTRAST = r"""
(() => {
  const parse = (text) => { const c = document.createElement("canvas").getContext("2d");
    c.fillStyle = "#000"; c.fillStyle = text; c.fillRect(0, 0, 1, 1);
    return [...c.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((v) => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const behind = (e) => { for (; e; e = e.parentElement) {
    const found = getComputedStyle(e).backgroundColor;
    if (!/rgba\(.*, 0\)|transparent/.test(found)) return parse(found); } return [255, 255, 255]; };
  const faults = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.closest("script, style, .unseen,"
        + "noscript, option, title, desc, .skip")) continue;
    const style = getComputedStyle(e);
    const ink = parse(e.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24;
    const ratio = (a + 0.05) / (b + 0.05);
    const text = walk.currentNode.data.slice(0, 40);
    if (ratio < (large ? 3 : 4.5)) faults.add(`${ratio.toFixed(2)}: ${text}`);
  }
  return [...faults];
})()
"""


def axe_core() -> Path | None:
    """``axe.min.js``, if it can be had."""
    here = Path(__file__).resolve().parent.parent
    for path in (os.environ.get("AXE_CORE", ""), here / "node_modules/axe-core/axe.min.js"):
        if path and Path(path).is_file():
            return Path(path)
    return None


def page_faults(page: Page) -> list[str]:
    """What is wrong with names, roles, order and keyboard."""
    found: list[str] = page.evaluate(_CHECKS)
    axe = axe_core()
    if axe is not None:
        page.evaluate(axe.read_text(encoding="utf-8") + "; null")
        found += page.evaluate(_AXE)
    return found


def contrast_faults(page: Page) -> list[str]:
    """Texts whose contrast is below 4.5, or 3 where they are large."""
    return page.evaluate(_CONTRAST)
