"""What the shell offers behind a Tab, asked as a shell asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from voicegraph.app.cli.app import main

Complete = Callable[[str], list[str]]


@pytest.fixture
def complete(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Complete:
    """``complete("explain w")``: what bash would be offered for the last word."""

    def ask(line: str) -> list[str]:
        words = ["voicegraph", *line.split(" ")]
        monkeypatch.setenv("_VOICEGRAPH_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        with pytest.raises(SystemExit) as left:
            main([])
        assert left.value.code == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out.split()

    return ask


def test_commands_are_completed(complete: Complete) -> None:
    # In a process of many tests the order is that of the first import.
    assert sorted(complete("d")) == ["demo", "devices", "diff", "doctor", "draw"]


def test_pipelines_and_files_are_completed(complete: Complete, place: Path) -> None:
    (place / "folder").mkdir()
    (place / "folder" / "inner.yml").touch()
    (place / "world.txt").touch()
    assert complete("explain ") == [
        *("default-live", "default", "rvc-file", "rvc-live", "rvc", "world"),
        *("bad.yaml", "good.yaml", "folder/"),
    ]
    assert complete("explain wo") == ["world"]
    assert complete("explain folder/") == ["folder/inner.yml"]
    assert complete("check good.yaml b") == ["bad.yaml"]
    assert complete("explain nowhere/") == []


def test_node_names_are_completed(complete: Complete) -> None:
    assert complete("nodes dsp.ga") == ["dsp.gain", "dsp.gate"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("explain good.yaml --set v", ["vars.db="]),
        ("explain good.yaml --set nodes.low.u", ["nodes.low.use="]),
        ("compare good.yaml --set-b v", ["vars.db="]),
        ("compare good.yaml --on a.wav b.wav --set-b v", ["vars.db="]),
        (
            "explain good.yaml --set nodes.low.use=f0.h",
            ["nodes.low.use=f0.harvest"],
        ),
        ("explain good.yaml --set nodes.off.params.c", ["nodes.off.params.ceiling="]),
        ("explain good.yaml --set vars.db=1 --set bl", ["block="]),
        ("explain --set no", ["nodes."]),
        ("explain nothing.yaml --set v", ["vars."]),
        ("explain good.yaml --set vars.db=", []),
        ("diff good.yaml --set-both v", ["vars.db="]),
    ],
)
def test_paths_of_overrides_are_completed(
    complete: Complete, line: str, expected: list[str]
) -> None:
    assert complete(line) == expected


def test_profiles_are_completed(complete: Complete) -> None:
    assert complete("explain good.yaml --profile ") == ["quiet"]


def test_drawing_formats_are_completed(complete: Complete) -> None:
    assert complete("draw good.yaml --format m") == ["mermaid"]
