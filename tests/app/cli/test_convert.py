"""``voicegraph convert``."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors import SafetensorError, safe_open

from voicegraph.graph.files.models import Archive, FileKind, conversion, open_archive
from voicegraph.schemas.card import Card
from voicegraph.schemas.model_report import ConvertReport

Cli = Callable[..., tuple[int, str, str]]
NAMES = ("half", "transposed", "part", "other", "scalar", "empty")


class ToyCard(Card):
    kind: Literal["toy"] = "toy"  # pyright: ignore[reportIncompatibleVariableOverride]
    width: int


def _card(path: Path, archive: Archive | None) -> ToyCard | None:
    if archive is None:
        return None
    if archive.card is not None:
        return ToyCard.model_validate(archive.card)
    return ToyCard(title=path.stem, width=3) if "toy.half" in archive.tensors else None


def _convert(path: Path, archive: Archive | None) -> tuple[dict[str, torch.Tensor], ToyCard]:
    assert archive is not None
    found = archive.read(f"toy.{name}" for name in NAMES)
    tensors = {name: found[f"toy.{name}"] for name in NAMES}
    tensors["transposed"] = tensors["transposed"].t().contiguous().t()
    tensors["tied"] = tensors["half"]
    tensors["slice"] = tensors["other"][2:]
    return tensors, ToyCard(title=path.stem, width=3)


@pytest.fixture(autouse=True)
def toy(place: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    kind = FileKind("toy", "a toy", _card, _convert)
    module = sys.modules["voicegraph.graph.files.models.identify"]
    monkeypatch.setattr(module, "kinds", lambda: [kind])
    shared = torch.arange(10.0)
    tensors = {
        "half": torch.arange(6.0).reshape(2, 3).half(),
        "transposed": torch.arange(6.0).reshape(2, 3).t(),
        "part": shared[3:7],
        "other": shared[5:],
        "scalar": torch.tensor(3),
        "empty": torch.zeros(0, 2),
    }
    torch.save({"toy": tensors, "unused": torch.ones(5)}, "a.pth")
    return {**tensors, "tied": tensors["half"], "slice": tensors["other"][2:]}


def _left(place: Path) -> set[str]:
    return {entry.name for entry in place.iterdir()} - {"good.yaml", "bad.yaml", "a.pth"}


def test_model_is_written_as_safetensors(
    cli: Cli, place: Path, toy: dict[str, torch.Tensor]
) -> None:
    words = ("--title", "My toy", "--licence", "CC0", "--source", "https://example.org")
    code, out, err = cli("convert", "a.pth", "b.safetensors", *words)
    assert (code, err) == (0, "")
    assert out.startswith("b.safetensors: a toy\n")
    assert "My toy" in out
    assert _left(place) == {"b.safetensors"}
    assert (place / "b.safetensors").stat().st_mode == (place / "a.pth").stat().st_mode
    archive = open_archive(place / "b.safetensors")
    assert archive.card == {
        "kind": "toy",
        "title": "My toy",
        "licence": "CC0",
        "source": "https://example.org",
        "width": 3,
    }
    found = archive.read(archive.tensors)
    assert found.keys() == toy.keys()
    for name, value in toy.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value)
    with safe_open(place / "b.safetensors", "pt") as file:  # the library itself reads it
        assert ToyCard.model_validate_json(file.metadata()["voicegraph"]).title == "My toy"


def test_json_is_a_convert_report(cli: Cli) -> None:
    code, out, _ = cli("convert", "a.pth", "b.safetensors", "--json")
    assert code == 0
    report = ConvertReport.model_validate_json(out)
    assert (report.source.path, report.source.form) == ("a.pth", "torch")
    assert (report.target.path, report.target.form) == ("b.safetensors", "safetensors")
    assert report.target.card == report.source.card
    assert (report.source.tensors, report.target.tensors) == (7, 8)


def test_existing_target_is_kept(cli: Cli, place: Path) -> None:
    (place / "b.safetensors").write_text("old", encoding="utf-8")
    code, _, err = cli("convert", "a.pth", "b.safetensors")
    assert code == 4
    assert "b.safetensors exists" in err
    assert (place / "b.safetensors").read_text(encoding="utf-8") == "old"
    assert cli("convert", "a.pth", "b.safetensors", "--force")[0] == 0
    assert open_archive(place / "b.safetensors").card is not None


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("b.pth", "does not end in .safetensors"),
        (".", "does not end in .safetensors"),
        ("a.pth/b.safetensors", "a.pth is a file, not a folder"),
        ("folder.safetensors", "is a folder"),
    ],
)
def test_unsuitable_targets_are_refused(cli: Cli, place: Path, target: str, said: str) -> None:
    (place / "folder.safetensors").mkdir()
    code, _, err = cli("convert", "a.pth", target, "--force")
    assert code == 4
    assert said in err
    assert _left(place) == {"folder.safetensors"}


def test_unsuitable_sources_are_refused(cli: Cli, place: Path) -> None:
    assert cli("convert", "a.pth", "b.safetensors")[0] == 0
    code, _, err = cli("convert", "b.safetensors", "c.safetensors")
    assert code == 3
    assert "b.safetensors: it is already converted" in err
    torch.save({"other": torch.ones(1)}, "other.pth")
    code, _, err = cli("convert", "other.pth", "c.safetensors")
    assert code == 3
    assert "of unknown kind" in err
    assert "fix: voicegraph inspect other.pth" in err
    assert cli("convert", "none.pth", "c.safetensors")[0] == 3
    assert _left(place) == {"b.safetensors", "other.pth"}


def test_overlong_card_texts_are_refused(cli: Cli, place: Path) -> None:
    code, _, err = cli("convert", "a.pth", "b.safetensors", "--title", "x" * 300)
    assert code == 2
    assert "--title" in err
    assert _left(place) == set()


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), SafetensorError("I/O error: no space")],
)
def test_full_disk_is_reported(
    cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half a file")
        raise error

    monkeypatch.setattr(conversion, "save_file", fails)
    code, _, err = cli("convert", "a.pth", "b.safetensors")
    assert code == 4
    assert "b.safetensors cannot be written" in err
    assert _left(place) == set()


@pytest.mark.parametrize("fault", ["value", "name", "card", "bytes"])
def test_failed_verification_leaves_no_file(
    cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A disk or a library that does not keep what it was given."""
    real = conversion.save_file

    def spoils(tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, Any]) -> None:
        if fault == "value":
            tensors = {**tensors, "part": tensors["part"] + 1}
        if fault == "name":
            tensors = {**tensors, "more": torch.ones(1)}
        if fault == "card":
            metadata = {key: text.replace("3", "4") for key, text in metadata.items()}
        real(tensors, path, metadata)
        if fault == "bytes":
            path.write_bytes(path.read_bytes()[:-1])

    monkeypatch.setattr(conversion, "save_file", spoils)
    code, _, err = cli("convert", "a.pth", "b.safetensors")
    assert code == 4
    assert "b.safetensors reads back different from what was written" in err
    assert ".part" not in err
    assert _left(place) == set()
