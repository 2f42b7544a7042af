"""The web page: self-contained, and its files fit together."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import voicegraph.app.session_server
from voicegraph.schemas.live_command import COMMANDS

from ..client import Client
from ..page_elements import PageElements

PAGE = Path(voicegraph.app.session_server.__file__).with_name("page")
FILES = {"/": "index.html", "/page.js": "page.js", "/page.css": "page.css"}
SCRIPT = (PAGE / "page.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def seen() -> PageElements:
    return PageElements(PAGE / "index.html")


@pytest.mark.parametrize("path", FILES)
def test_page_files_are_served_unchanged(idle: Client, path: str) -> None:
    reply = idle.get(path)
    assert reply.status == 200
    assert reply.text == (PAGE / FILES[path]).read_text(encoding="utf-8")
    kinds = {"/": "text/html", "/page.js": "text/javascript", "/page.css": "text/css"}
    assert reply.headers["content-type"].startswith(kinds[path])


def test_page_loads_nothing_from_other_sites(seen: PageElements) -> None:
    assert sorted(seen.files) == ["data:,", "page.css", "page.js"]
    for name in FILES.values():
        assert not re.search(r"https?://|@import|url\(", (PAGE / name).read_text(encoding="utf-8"))


def test_page_obeys_its_content_security_policy(seen: PageElements) -> None:
    assert seen.inline == []
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", SCRIPT)


def test_script_uses_only_existing_ids(seen: PageElements) -> None:
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
