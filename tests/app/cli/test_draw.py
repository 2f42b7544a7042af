"""``voicegraph draw``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., tuple[int, str, str]]


def test_mermaid_is_printed_by_default(cli: Cli) -> None:
    code, out, err = cli("draw", "good.yaml")
    assert (code, err) == (0, "")
    assert out.splitlines()[3] == "flowchart TB"


@pytest.mark.parametrize("name", ["a.svg", "b.dot", "c.mmd", "d.SVG", "e.gv"])
def test_file_ending_chooses_the_format(cli: Cli, place: Path, name: str) -> None:
    code, out, _ = cli("draw", "good.yaml", "-o", name)
    assert (code, out) == (0, f"wrote {name}\n")
    text = (place / name).read_text(encoding="utf-8")
    if name.lower().endswith("svg"):
        assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    else:
        assert text.startswith("---\n" if name.endswith("mmd") else "digraph ")


def test_format_option_overrides_the_ending(cli: Cli, place: Path) -> None:
    assert cli("draw", "good.yaml", "--format", "dot")[1].startswith("digraph ")
    assert cli("draw", "good.yaml", "-o", "picture", "--format", "svg")[0] == 0
    assert (place / "picture").read_text(encoding="utf-8").startswith("<svg ")


def test_existing_file_needs_force(cli: Cli, place: Path) -> None:
    (place / "a.svg").write_text("mine", encoding="utf-8")
    code, _, err = cli("draw", "good.yaml", "-o", "a.svg")
    assert code == 4
    assert err == "a.svg exists\n  fix: --force replaces it, or give another name\n"
    assert (place / "a.svg").read_text(encoding="utf-8") == "mine"
    assert cli("draw", "good.yaml", "-o", "a.svg", "--force")[0] == 0
    assert (place / "a.svg").read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", "fix: -o a.svg, or --format svg"),
        ("good.yaml/a.svg", "good.yaml is a file, not a folder"),
        ("folder.svg", "folder.svg is a folder"),
    ],
)
def test_unsuitable_targets_are_refused(cli: Cli, place: Path, name: str, expected: str) -> None:
    (place / "folder.svg").mkdir()
    before = sorted(place.rglob("*"))
    code, _, err = cli("draw", "good.yaml", "-o", name)
    assert code == 4
    assert expected in err
    assert sorted(place.rglob("*")) == before


def test_failed_write_keeps_the_old_file(
    cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> object:
        raise OSError(28, "No space left on device")

    (place / "a.svg").write_text("mine", encoding="utf-8")
    before = sorted(place.iterdir())
    monkeypatch.setattr(Path, "replace", full)
    code, _, err = cli("draw", "good.yaml", "-o", "a.svg", "--force")
    assert code == 4
    assert "a.svg cannot be written: No space left on device" in err
    assert sorted(place.iterdir()) == before
    assert (place / "a.svg").read_text(encoding="utf-8") == "mine"


def test_wrong_pipeline_is_not_drawn(cli: Cli, place: Path) -> None:
    code, out, err = cli("draw", "bad.yaml", "-o", "a.svg")
    assert (code, out) == (2, "")
    assert "6 problems" in err
    assert not (place / "a.svg").exists()


def test_unknown_format_is_refused(cli: Cli) -> None:
    code, _, err = cli("draw", "good.yaml", "--format", "png")
    assert code == 2
    assert "mermaid" in err
