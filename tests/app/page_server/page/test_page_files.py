"""The files of the page fit together, obey the content policy, and name only what exists."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from voicegraph.app.page_server.routes.page_files import PAGE
from voicegraph.schemas.live_command import COMMANDS

from ...page_elements import PageElements

MODULES = sorted(PAGE.glob("*.js"))
STYLES = sorted(PAGE.glob("*.css"))
_IMPORT = re.compile(r"^import \{([^}]*)\} from \"\./([\w.]+)\";", re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|const|class|let) (\w+)", re.MULTILINE)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def seen() -> PageElements:
    return PageElements(PAGE / "index.html")


def test_document_names_existing_files_and_elements(seen: PageElements) -> None:
    files = {name for name in seen.files if not name.startswith("#")}
    assert files <= {path.name for path in PAGE.iterdir()}
    assert {path.name for path in STYLES} <= files
    inside = {name[1:] for name in seen.files if name.startswith("#")}
    assert inside | set(seen.named) <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))


def test_page_has_nothing_inline_and_nothing_from_other_sites(seen: PageElements) -> None:
    assert seen.inline == []
    for path in (*MODULES, *STYLES, PAGE / "index.html"):
        found = _text(path).replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|url\(|//cdn", found), path.name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", found
        )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_import_what_others_export(path: Path) -> None:
    text = _text(path)
    for names, module in _IMPORT.findall(text):
        exported = set(_EXPORT.findall(_text(PAGE / module)))
        wanted = {name.strip().split(" as ")[0] for name in names.split(",") if name.strip()}
        assert wanted <= exported, (path.name, module)
        body = _IMPORT.sub("", text)
        assert all(re.search(rf"\b{name}\b", body) for name in wanted), (path.name, module)


def test_every_module_is_reached_from_main() -> None:
    reached, waiting = set(), ["main.js"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [module for _, module in _IMPORT.findall(_text(PAGE / name))]
    assert reached == {path.name for path in MODULES}


def test_icons_that_scripts_name_are_in_the_document(seen: PageElements) -> None:
    text = "".join(map(_text, MODULES))
    named = re.findall(r"symbol: \"([\w-]+)\"|\bicon\(\"([\w-]+)\"", text)
    wanted = {f"i-{a or b}" for a, b in named}
    assert len(wanted) > 5
    assert wanted <= set(seen.ids)


def test_colours_that_are_used_are_defined() -> None:
    styles = "".join(map(_text, STYLES))
    defined = set(re.findall(r"--([\w-]+):", styles))
    used = set(re.findall(r"var\(--([\w-]+)\)", styles))
    used |= set(re.findall(r"\bcolour\(\"([\w-]+)\"\)", "".join(map(_text, MODULES))))
    assert used <= defined


def test_scripts_send_only_existing_commands() -> None:
    sent = set(re.findall(r"\bdo: \"(\w+)\"", "".join(map(_text, MODULES))))
    expected = {"set", "talk", "mute", "monitor", "bypass", "swap", "voice", "record", "mark"}
    assert sent == expected
    assert sent <= set(COMMANDS.json_schema()["discriminator"]["mapping"])


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")
@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_have_no_syntax_error(path: Path) -> None:
    command = ["node", "--input-type=module", "--check"]
    checked = subprocess.run(
        command, input=_text(path), capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
