"""Consent of the voice's owner: the statement, the phrase to type, and where it is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.schemas.source_filter_card import Consent

from ..common.atomic_files import write_text
from .workdir import Workdir

_LONGEST = 200
Ask = Callable[[str], str]
"""Asks a question at a terminal, and gives the answer."""


class ConsentError(VoicegraphError):
    """The owner's consent is missing."""

    exit_code = 2


def statement(owner: str) -> str:
    """What the owner agrees to."""
    return (
        f"{owner}, whose voice is heard in these recordings, knows that a model of it is made with "
        "which anybody who has the file can speak in this voice, and agrees."
    )


def phrase(owner: str) -> str:
    """What has to be typed."""
    return f"{owner} agrees"


def save(workdir: Workdir, consent: Consent) -> None:
    """Stores the consent, so that it is asked for only once."""
    write_text(workdir.consent, consent.model_dump_json(indent=2))


def obtain(workdir: Workdir, owner: str | None, given: str | None, ask: Ask | None) -> Consent:
    """The consent: stored, from the command line, or from a terminal.

    Args:
        workdir: of the voice.
        owner: whose voice it is, if given on the command line.
        given: the phrase, if given on the command line.
        ask: asks at a terminal; None without one.

    Raises:
        ConsentError: if it is missing, or the phrase is not exactly the expected one.
    """
    if workdir.consent.exists():
        return Consent.model_validate_json(workdir.consent.read_text(encoding="utf-8"))
    return _given(owner, given) if given is not None or ask is None else _asked(owner, ask)


def _given(owner: str | None, given: str | None) -> Consent:
    name = _name(owner or "")
    if not name or given is None:
        text = "the owner of the voice and the consent are missing, and there is no terminal to ask"
        notes = ((f"the statement: {statement(name or 'NAME')}", None),)
        fix = f'--owner "{name or "NAME"}" --consent "{phrase(name or "NAME")}"'
        raise ConsentError(Problem("no-consent", text, notes=notes, fix=fix))
    _check(name, given)
    return _consent(name, "given on the command line")


def _asked(owner: str | None, ask: Ask) -> Consent:
    name = _name(owner or ask("Whose voice is heard in the recordings? Name: "))
    if not name:
        raise ConsentError(Problem("no-consent", "no name was given", fix="--owner NAME"))
    question = f'\n{statement(name)}\nIf that is true, type "{phrase(name)}": '
    _check(name, ask(question))
    return _consent(name, "typed at a terminal")


def _check(name: str, typed: str) -> None:
    if " ".join(typed.split()).casefold() != phrase(name).casefold():
        text = f'expected exactly "{phrase(name)}", found "{typed.strip()[:_LONGEST]}"'
        notes = ((f"the statement: {statement(name)}", None),)
        fix = f'--owner "{name}" --consent "{phrase(name)}"   if that is true'
        raise ConsentError(Problem("no-consent", text, notes=notes, fix=fix))


def _name(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]


def _consent(name: str, how: str) -> Consent:
    return Consent.model_validate(
        {"owner": name, "statement": statement(name), "given": date.today(), "how": how}
    )
