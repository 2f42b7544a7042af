"""``voicegraph convert``: writes a model file as safetensors, with a card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import ForceOption, JsonOption, argument, option
from ._output import echo, print_json
from .app import app
from .inspect import summary

if TYPE_CHECKING:
    from voicegraph.schemas.card import Card

FileArg = Annotated[
    Path,
    argument("FILE", "A voice, index, content encoder or pitch model; or a Hugging Face folder."),
]
TargetArg = Annotated[Path, argument("OUT.safetensors", "The file to write.")]
TitleOption = Annotated[str | None, option("TEXT", "Title in the card.")]
LicenceOption = Annotated[str | None, option("TEXT", "Terms of use, in the card.")]
SourceOption = Annotated[str | None, option("TEXT", "Origin of the model, in the card.")]
EncoderOption = Annotated[
    Path | None,
    option("FILE", "The content encoder that a voice or index was trained on, for its card."),
]


@app.command()
def convert(
    file: FileArg,
    target: TargetArg,
    title: TitleOption = None,
    licence: LicenceOption = None,
    source: SourceOption = None,
    encoder: EncoderOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a model as safetensors with a card in its header; its output stays bit-identical.

    The new file is read back and compared before it gets its name. An existing file is kept, unless
    --force is given.
    """
    from voicegraph.graph.files.models.conversion import (
        check_source,
        check_target,
        trained_with,
        write,
    )
    from voicegraph.graph.files.models.description import describe
    from voicegraph.graph.files.models.identify import identify
    from voicegraph.schemas.model_report import ConvertReport

    check_target(target, force)
    found = identify(file)
    kind = check_source(found, again=encoder is not None)
    tensors, card = kind.convert(file, found.archive)
    if encoder is not None:
        card = trained_with(card, encoder, file)
    words = {"title": title, "licence": licence, "source": source}
    card = _with_words(card, {key: text for key, text in words.items() if text is not None})
    made = describe(write(tensors, card, target, force))
    if as_json:
        print_json(ConvertReport(source=describe(found), target=made))
    else:
        echo(summary(made))


def _with_words(card: Card, words: dict[str, str]) -> Card:
    """The card with the texts of the command line."""
    from pydantic import ValidationError

    try:
        return type(card).model_validate({**card.model_dump(), **words})
    except ValidationError as error:
        first = error.errors()[0]
        hint = f"--{first['loc'][0]}" if first["loc"] and first["loc"][0] in words else None
        raise typer.BadParameter(first["msg"], param_hint=hint) from None
