"""``voicegraph inspect``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
import torch

from voicegraph.graph.files.models import Archive, FileKind
from voicegraph.schemas.card import Card
from voicegraph.schemas.model_report import InspectReport

Cli = Callable[..., tuple[int, str, str]]


class ToyCard(Card):
    kind: Literal["toy"] = "toy"  # pyright: ignore[reportIncompatibleVariableOverride]
    width: int
    parameters: int = 12_345_678
    pitch: bool = True
    rates: list[int] = [12, 10]
    shapes: list[list[int]] = [[1, 2], [3]]
    sizes: dict[str, int] = {"in_channels": 7}
    encoder: str | None = None

    @property
    def headline(self) -> str:
        return f"width {self.width}"


def _card(path: Path, archive: Archive | None) -> ToyCard | None:
    if archive is None:
        return ToyCard(title="raw", width=0) if path.suffix == ".toy" else None
    found = archive.tensors.get("toy")
    return ToyCard(title="a\x1b[2Jb", width=found.shape[0]) if found else None


def _convert(path: Path, archive: Archive | None) -> tuple[dict[str, torch.Tensor], Card]:
    raise AssertionError


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = FileKind("toy", "a toy", _card, _convert)
    module = sys.modules["voicegraph.graph.files.models.identify"]
    monkeypatch.setattr(module, "kinds", lambda: [kind])

    def fails(*_: object) -> None:
        raise AssertionError("weights are read")

    monkeypatch.setattr(Archive, "read", fails)


def test_model_is_described_as_text(cli: Cli) -> None:
    torch.save({"toy": torch.ones(3).half(), "steps": torch.ones(2)}, "a.pth")
    code, out, err = cli("inspect", "a.pth")
    assert (code, err) == (0, "")
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[0] == "a.pth: a toy: width 3"
    rows = dict(line.strip().split(maxsplit=1) for line in lines[1:] if len(line.split()) > 1)
    assert rows["width"] == "3"
    assert rows["parameters"] == "12,345,678"
    assert rows["pitch"] == "yes"
    assert rows["rates"] == "12, 10"
    assert rows["shapes"] == "[1, 2], [3]"
    assert "  sizes" in lines
    assert "    in channels  7" in lines
    assert rows["title"] == r"a\x1b[2Jb"
    assert "encoder" not in rows
    assert rows["file"].startswith("written by torch.save, 0.0 MB, 2 tensors, values: 3 float16 + ")


def test_file_without_archive_is_described(cli: Cli, place: Path) -> None:
    (place / "a.toy").write_bytes(bytes(2_000_000))
    code, out, _ = cli("inspect", "a.toy")
    assert code == 0
    assert out.startswith("a.toy: a toy: width 0\n")
    assert "2.0 MB\n" in out
    assert "tensor" not in out


def test_unknown_tensors_are_counted(cli: Cli) -> None:
    layers = {f"layer{i}": torch.ones(1) for i in range(20)}
    torch.save({"model": {"a": torch.ones(2), "b": torch.ones(2)}, **layers}, "a.pth")
    code, out, err = cli("inspect", "a.pth")
    assert (code, err) == (0, "")
    assert out.startswith("a.pth: a file of tensors, but of unknown kind\n")
    assert "model" in out
    assert "2 tensors\n" in out
    assert "9 more names\n" in out


def test_failed_file_does_not_hide_others(cli: Cli, place: Path) -> None:
    """One that fails does not hide the others."""
    torch.save({"toy": torch.ones(3)}, "a.pth")
    torch.save({"toy": torch.ones(4)}, "c.pth")
    (place / "b.pth").write_text("<html>", encoding="utf-8")
    code, out, err = cli("inspect", "a.pth", "b.pth", "none.pth", "c.pth")
    assert code == 3
    assert out.count("a toy") == 2
    assert "b.pth: a web page" in err
    assert "none.pth: there is no such file" in err
    assert err.count("fix: ") == 2


def test_json_is_an_inspect_report(cli: Cli, place: Path) -> None:
    torch.save({"toy": torch.ones(3), "x": {"y": torch.arange(2)}}, "a.pth")
    (place / "b.pth").write_bytes(b"")
    code, out, err = cli("inspect", "a.pth", "b.pth", "--json")
    assert (code, err) == (3, "")
    report = InspectReport.model_validate_json(out)
    assert not report.ok
    (file,) = report.files
    assert (file.kind, file.description, file.form) == ("toy", "a toy: width 3", "torch")
    assert file.card == json.loads(ToyCard(title="a\x1b[2Jb", width=3).model_dump_json())
    assert (file.tensors, file.values) == (2, {"float32": 3, "int64": 2})
    assert file.parts == {"toy": 1, "x": 1}
    (failed,) = report.failed
    assert (failed.path, failed.exit_code, failed.error) == ("b.pth", 3, "WeightsError")
    assert failed.problems[0].code == "not-weights"
    assert InspectReport.model_validate_json(cli("inspect", "a.pth", "--json")[1]).ok


def test_no_file_is_a_usage_error(cli: Cli) -> None:
    assert cli("inspect")[0] == 2
