"""The consent of whoever's voice it is: what is said, what has to be typed, where it is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.schemas.source_filter_card import Consent

from .workdir import Workplace, write_whole

_LONGEST = 200
Ask = Callable[[str], str]
"""A question to an answer, at a terminal."""


class ConsentError(VoicegraphError):
    """The owner's consent is not there."""

    exit_code = 2


def statement(owner: str) -> str:
    """What is agreed to."""
    return (
        f"{owner}, whose voice is heard in these recordings, knows that a model of it is made with "
        "which anybody who has the file can speak in this voice, and agrees."
    )


def phrase(owner: str) -> str:
    """What has to be typed."""
    return f"{owner} agrees"


def keep(place: Workplace, consent: Consent) -> None:
    """Keeps it, so that it is asked for once."""
    text = consent.model_dump_json(indent=2)
    write_whole(place.consent, lambda path: _write(path, text))


def obtain(place: Workplace, owner: str | None, given: str | None, ask: Ask | None) -> Consent:
    """The consent, as it was given before, on the command line or at a terminal.

    Args:
        place: of the voice.
        owner: whose voice it is, if that was said.
        given: the phrase, if it was given.
        ask: asks a person; None where there is nobody to ask.

    Raises:
        ConsentError: if it is not given in so many words.
    """
    if place.consent.exists():
        return Consent.model_validate_json(place.consent.read_text(encoding="utf-8"))
    return _given(owner, given) if given is not None or ask is None else _asked(owner, ask)


def _given(owner: str | None, given: str | None) -> Consent:
    name = _name(owner or "")
    if not name or given is None:
        text = "whose voice it is, and that its owner agrees, was not said; there is nobody to ask"
        notes = ((f"what is agreed to: {statement(name or 'NAME')}", None),)
        fix = f'--owner "{name or "NAME"}" --consent "{phrase(name or "NAME")}"'
        raise ConsentError(Problem("no-consent", text, notes=notes, fix=fix))
    _check(name, given)
    return _consent(name, "given on the command line")


def _asked(owner: str | None, ask: Ask) -> Consent:
    name = _name(owner or ask("Whose voice is heard in the recordings? Name: "))
    if not name:
        raise ConsentError(Problem("no-consent", "no name was given", fix="--owner NAME"))
    question = f'\n{statement(name)}\nIf that is so, type "{phrase(name)}": '
    _check(name, ask(question))
    return _consent(name, "typed at a terminal")


def _check(name: str, typed: str) -> None:
    if " ".join(typed.split()).casefold() != phrase(name).casefold():
        text = f'expected "{phrase(name)}" in so many words, found "{typed.strip()[:_LONGEST]}"'
        notes = ((f"what is agreed to: {statement(name)}", None),)
        fix = f'--owner "{name}" --consent "{phrase(name)}"   if it is so'
        raise ConsentError(Problem("no-consent", text, notes=notes, fix=fix))


def _name(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]


def _consent(name: str, how: str) -> Consent:
    return Consent.model_validate(
        {"owner": name, "statement": statement(name), "given": date.today(), "how": how}
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
