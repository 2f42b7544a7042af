"""Consent is given in so many words, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.training.voice.consent import ConsentError, keep, obtain, statement
from voicegraph.training.voice.workdir import Workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def test_on_the_command_line(place: Workplace) -> None:
    found = obtain(place, "Ada  Lovelace", "ada lovelace agrees", None)
    assert found.owner == "Ada Lovelace"
    assert found.statement == statement("Ada Lovelace")
    assert found.how == "given on the command line"


def test_at_a_terminal(place: Workplace) -> None:
    asked: list[str] = []
    answers = iter(["Ada\n", "Ada agrees\n"])

    def ask(question: str) -> str:
        asked.append(question)
        return next(answers)

    found = obtain(place, None, None, ask)
    assert (found.owner, found.how) == ("Ada", "typed at a terminal")
    assert statement("Ada") in asked[1]


@pytest.mark.parametrize("typed", ["", "yes", "y", "agrees", "Bob agrees", "Ada does not agree"])
def test_anything_else_is_none(place: Workplace, typed: str) -> None:
    with pytest.raises(ConsentError, match="Ada agrees") as caught:
        obtain(place, "Ada", typed, None)
    assert caught.value.exit_code == 2
    with pytest.raises(ConsentError):
        obtain(place, "Ada", None, lambda _: typed)


@pytest.mark.parametrize(("owner", "given"), [(None, None), ("Ada", None), (None, "Ada agrees")])
def test_nobody_to_ask(place: Workplace, owner: str | None, given: str | None) -> None:
    with pytest.raises(ConsentError) as caught:
        obtain(place, owner, given, None)
    name = owner or "NAME"
    assert caught.value.problems[0].fix == f'--owner "{name}" --consent "{name} agrees"'


def test_nothing_typed_at_all(place: Workplace) -> None:
    with pytest.raises(ConsentError, match="no name"):
        obtain(place, None, None, lambda _: "\n")


def test_is_asked_for_once(place: Workplace) -> None:
    given = obtain(place, "Ada", "Ada agrees", None)
    keep(place, given)
    assert obtain(place, None, None, None) == given
