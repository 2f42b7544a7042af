"""The web page: self-contained, and its files fit together."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

import voicegraph.app.session_server
from voicegraph.schemas.live_command import COMMANDS

from ..client import Client

PAGE = Path(voicegraph.app.session_server.__file__).with_name("page")
FILES = {"/": "index.html", "/page.js": "page.js", "/page.css": "page.css"}
SCRIPT = (PAGE / "page.js").read_text(encoding="utf-8")


class _Seen(HTMLParser):
    """Collects ids, files and inline code of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.files: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("src", "href"):
                self.files.append(value or "")
            elif name == "style" or name.startswith("on"):
                self.inline.append(name)
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self.inline.append(tag)


@pytest.fixture(scope="module")
def seen() -> _Seen:
    parser = _Seen()
    parser.feed((PAGE / "index.html").read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize("path", FILES)
def test_page_files_are_served_unchanged(idle: Client, path: str) -> None:
    reply = idle.get(path)
    assert reply.status == 200
    assert reply.text == (PAGE / FILES[path]).read_text(encoding="utf-8")
    kinds = {"/": "text/html", "/page.js": "text/javascript", "/page.css": "text/css"}
    assert reply.headers["content-type"].startswith(kinds[path])


def test_page_loads_nothing_from_other_sites(seen: _Seen) -> None:
    assert sorted(seen.files) == ["data:,", "page.css", "page.js"]
    for name in FILES.values():
        assert not re.search(r"https?://|@import|url\(", (PAGE / name).read_text(encoding="utf-8"))


def test_page_obeys_its_content_security_policy(seen: _Seen) -> None:
    assert seen.inline == []
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", SCRIPT)


def test_script_uses_only_existing_ids(seen: _Seen) -> None:
    wanted = set(re.findall(r"\b(?:at|press|meter|list|removeOthers)\(\"([\w-]+)\"", SCRIPT))
    assert wanted
    assert wanted <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))


def test_script_sends_only_existing_commands() -> None:
    sent = set(re.findall(r"\bdo: \"(\w+)\"", SCRIPT))
    assert sent == {"set", "bypass", "profile", "variant", "mute", "talk", "monitor", "stop"}
    assert sent <= set(COMMANDS.json_schema()["discriminator"]["mapping"])


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")
def test_script_has_no_syntax_errors() -> None:
    checked = subprocess.run(
        ["node", "--check", str(PAGE / "page.js")], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
