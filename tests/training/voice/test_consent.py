"""Consent is given by the exact phrase only."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.training.voice.consent import ConsentError, obtain, save, statement
from voicegraph.training.voice.workdir import Workdir


@pytest.fixture
def workdir(tmp_path: Path) -> Workdir:
    return Workdir(tmp_path)


def test_consent_on_the_command_line(workdir: Workdir) -> None:
    found = obtain(workdir, "Ada  Lovelace", "ada lovelace agrees", None)
    assert found.owner == "Ada Lovelace"
    assert found.statement == statement("Ada Lovelace")
    assert found.how == "given on the command line"


def test_consent_at_a_terminal(workdir: Workdir) -> None:
    asked: list[str] = []
    answers = iter(["Ada\n", "Ada agrees\n"])

    def ask(question: str) -> str:
        asked.append(question)
        return next(answers)

    found = obtain(workdir, None, None, ask)
    assert (found.owner, found.how) == ("Ada", "typed at a terminal")
    assert statement("Ada") in asked[1]


@pytest.mark.parametrize("typed", ["", "yes", "y", "agrees", "Bob agrees", "Ada does not agree"])
def test_other_phrases_are_refused(workdir: Workdir, typed: str) -> None:
    with pytest.raises(ConsentError, match="Ada agrees") as caught:
        obtain(workdir, "Ada", typed, None)
    assert caught.value.exit_code == 2
    with pytest.raises(ConsentError):
        obtain(workdir, "Ada", None, lambda _: typed)


@pytest.mark.parametrize(("owner", "given"), [(None, None), ("Ada", None), (None, "Ada agrees")])
def test_missing_consent_without_a_terminal_is_refused(
    workdir: Workdir, owner: str | None, given: str | None
) -> None:
    with pytest.raises(ConsentError) as caught:
        obtain(workdir, owner, given, None)
    name = owner or "NAME"
    assert caught.value.problems[0].fix == f'--owner "{name}" --consent "{name} agrees"'


def test_empty_name_is_refused(workdir: Workdir) -> None:
    with pytest.raises(ConsentError, match="no name"):
        obtain(workdir, None, None, lambda _: "\n")


def test_saved_consent_is_not_asked_again(workdir: Workdir) -> None:
    given = obtain(workdir, "Ada", "Ada agrees", None)
    save(workdir, given)
    assert obtain(workdir, None, None, None) == given
