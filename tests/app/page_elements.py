"""What a page's document consists of, for tests of its files."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path


class PageElements(HTMLParser):
    """Collects the ids of a document, what names them, its files, and its inline code.

    Args:
        path: the document.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.named: list[str] = []
        self.files: list[str] = []
        self.inline: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("aria-labelledby", "aria-controls", "for"):
                self.named.append(value or "")
            elif name in ("src", "href"):
                self.files.append(value or "")
            elif name == "style" or name.startswith("on"):
                self.inline.append(name)
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self.inline.append(tag)
