"""What a file is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest
import torch
from safetensors.torch import save_file

from voicegraph import nodes
from voicegraph.graph.files.models import Archive, FileKind, WeightsError, identify, kinds
from voicegraph.schemas.card import Card

Use = Callable[[list[FileKind]], None]


class ToyCard(Card):
    kind: Literal["toy"] = "toy"  # pyright: ignore[reportIncompatibleVariableOverride]
    width: int


def _card(path: Path, archive: Archive | None) -> ToyCard | None:
    if archive is None:
        return ToyCard(width=0) if path.read_bytes().startswith(b"TOY0") else None
    if archive.card is not None:
        return ToyCard.model_validate(archive.card) if archive.card["kind"] == "toy" else None
    found = archive.tensors.get("toy")
    return ToyCard(width=found.shape[0]) if found else None


def _convert(path: Path, archive: Archive | None) -> tuple[dict[str, torch.Tensor], Card]:
    raise AssertionError


TOY = FileKind("toy", "a toy", _card, _convert)


@pytest.fixture(autouse=True)
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    module = sys.modules["voicegraph.graph.files.models.identify"]

    def set_kinds(found: list[FileKind]) -> None:
        monkeypatch.setattr(module, "kinds", lambda: found)

    set_kinds([TOY])
    return set_kinds


def test_known_file_has_kind_and_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the header alone."""
    torch.save({"toy": torch.ones(3)}, tmp_path / "a.pth")
    monkeypatch.setattr(Archive, "read", None)
    found = identify(tmp_path / "a.pth")
    assert (found.kind, found.card) == (TOY, ToyCard(width=3))
    assert found.archive is not None


def test_kind_may_have_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.toy"
    path.write_bytes(b"TOY0\x00\x01\x02")
    found = identify(str(path))
    assert (found.archive, found.kind, found.card) == (None, TOY, ToyCard(width=0))


def test_unknown_tensors_have_no_kind(tmp_path: Path) -> None:
    torch.save({"other": torch.ones(3)}, tmp_path / "a.pth")
    found = identify(tmp_path / "a.pth")
    assert (found.kind, found.card) == (None, None)
    assert found.archive is not None


def test_file_of_unknown_format_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"")
    with pytest.raises(WeightsError, match="an empty file"):
        identify(tmp_path / "a.pth")


def test_hostile_file_reaches_no_kind(tmp_path: Path, use: Use) -> None:
    def fails(path: Path, archive: Archive | None) -> None:
        raise AssertionError

    torch.save({"toy": torch.ones(3)}, tmp_path / "a.pth")
    whole = (tmp_path / "a.pth").read_bytes()
    (tmp_path / "a.pth").write_bytes(whole[:-1])
    use([FileKind("toy", "a toy", fails, _convert)])
    with pytest.raises(WeightsError, match="not complete"):
        identify(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ('{"kind": "toy"}', "width: Field required"),
        ('{"kind": "toy", "width": 3, "later": 1}', "later: Extra inputs are not permitted"),
        ('{"kind": "toy", "width": "wide"}', "width: Input should be a valid integer"),
        ('{"kind": "vocoder", "width": 3}', "it calls itself 'vocoder'"),
        ('{"kind": "\\u001b[2J"}', "it calls itself"),
    ],
)
def test_unknown_cards_are_errors(tmp_path: Path, card: str, said: str) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"toy": torch.ones(3)}, path, {"voicegraph": card})
    with pytest.raises(WeightsError) as caught:
        identify(path)
    (problem,) = caught.value.problems
    assert (problem.code, said in problem.message) == ("unknown-card", True)
    assert "\x1b" not in problem.message
    assert "another version of voicegraph" in problem.message


# ---- the table of kinds ----------------------------------------------------------------------


def test_table_lists_every_kind() -> None:
    assert [kind.name for kind in kinds()] == list(nodes.FILE_KINDS)
    assert all(kind.noun.startswith(("a ", "an ")) for kind in kinds())


def test_mistakes_in_the_table_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "FILE_KINDS", {"toy": "toys.toy_file"})
    with pytest.raises(RuntimeError, match=r"'toy' in voicegraph\.nodes\.toys\.toy_file, which is"):
        kinds()
    monkeypatch.setattr(nodes, "FILE_KINDS", {"toy": "dsp.gain"})
    with pytest.raises(RuntimeError, match="its KIND is None"):
        kinds()
    made = ModuleType("voicegraph.nodes.toy_file")
    monkeypatch.setattr(made, "KIND", TOY, raising=False)
    monkeypatch.setitem(sys.modules, made.__name__, made)
    monkeypatch.setattr(nodes, "FILE_KINDS", {"game": "toy_file"})
    with pytest.raises(RuntimeError, match="its KIND is FileKind"):
        kinds()
    monkeypatch.setattr(nodes, "FILE_KINDS", {"toy": "toy_file"})
    assert kinds() == [TOY]


def test_import_errors_inside_a_module_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_file.py").write_text("import nowhere_at_all", encoding="utf-8")
    monkeypatch.setattr(nodes, "__path__", [*nodes.__path__, str(tmp_path)])
    monkeypatch.setattr(nodes, "FILE_KINDS", {"toy": "broken_file"})
    with pytest.raises(ModuleNotFoundError, match="nowhere_at_all"):
        kinds()
