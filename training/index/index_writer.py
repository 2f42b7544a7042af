"""Writes indexes: as FAISS does, or converted, with a card."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import faiss
import torch

from voicegraph.graph.errors import OutputError, Problem, WeightsError
from voicegraph.graph.files.atomic_write import AtomicFile, check_target, reported_errors
from voicegraph.graph.files.faiss_files.index_bytes import IndexBytes
from voicegraph.graph.files.models import conversion, identify
from voicegraph.nodes.retrieval.index_file import TENSOR, index_card, locate
from voicegraph.schemas.encoder_card import EncoderIdentity, GivesContent

ENDINGS = (".index", conversion.ENDING)


@dataclass(frozen=True, slots=True)
class CardTexts:
    """What a card states that cannot be read off the index."""

    title: str = ""
    licence: str = ""
    source: str = ""
    trained_on: EncoderIdentity | None = None

    @property
    def stated(self) -> bool:
        """Whether anything would be lost in a file without a card."""
        return self != CardTexts()


class Draft:
    """An index that is complete on the disk, and has no name yet.

    Use it as a context: what is not kept is removed. It is read back at the first use of
    :attr:`stored`; until then FAISS's object may be let go, so that memory holds the index once.

    Args:
        index: FAISS's object.
        target: the final name: ``.index`` for FAISS's own format, ``.safetensors`` for a converted
            file with a card.
        force: replace an existing file.

    Raises:
        OutputError: if it cannot be written.
    """

    def __init__(self, index: faiss.Index, target: Path, force: bool) -> None:
        self.target, self.force = target, force
        self._vectors = index.ntotal
        self._file = AtomicFile(target, force=force)
        try:
            self._write(index)
        except BaseException:
            self._file.discard()
            raise

    @property
    def path(self) -> Path:
        """Where it is until it gets its name."""
        return self._file.temporary

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *found: object) -> None:
        self._file.discard()

    def keep(self, texts: CardTexts) -> None:
        """Gives it its name.

        Args:
            texts: for the card, if the file has one.

        Raises:
            OutputError: if it cannot be written, or reads back different.
        """
        stored = self.stored
        if self.target.suffix.lower() != conversion.ENDING:
            self._file.commit()
            return
        card = index_card(stored.layout, texts.source or self.target.name)
        stated = {"title": texts.title or self.target.stem, "source": texts.source}
        stated |= {"licence": texts.licence, "trained_on": texts.trained_on}
        tensor = torch.from_numpy(stored.data)
        conversion.write({TENSOR: tensor}, card.model_copy(update=stated), self.target, self.force)

    def _write(self, index: faiss.Index) -> None:
        with (
            reported_errors(self.target, self.path.parent),
            self.path.open(
                "wb"
            ) as file,  # FAISS's own writer takes no names beyond ASCII on Windows
        ):
            writer = faiss.PyCallbackIOWriter(file.write)  # pyright: ignore[reportAttributeAccessIssue]
            faiss.write_index(index, writer)

    @cached_property
    def stored(self) -> IndexBytes:
        """What was read back.

        Raises:
            OutputError: if it is something else than what was written.
        """
        try:
            located = locate(self.path)
            stored = located.read() if located is not None else None
        except WeightsError as error:
            said = error.problems[0].message
        else:
            if stored is not None and stored.layout.vectors == self._vectors:
                return stored
            said = "it holds something else"
        text = f"{self.target} reads back different from what was written: {said}"
        raise OutputError(Problem("not-written-whole", text, fix="try again, or on another disk"))


def check_index_target(target: Path, force: bool) -> None:
    """Checks that an index may be written under this name, before anything is computed.

    Raises:
        OutputError: if it has another ending, exists, or is a folder.
    """
    if target.suffix.lower() not in ENDINGS:
        text = f"{target}: an index ends in .index, as FAISS writes it, or in .safetensors"
        fix = f"{target}.index, or {target}.safetensors, which has a card with the content encoder"
        raise OutputError(Problem("wrong-ending", text, fix=fix))
    check_target(target, force)


def encoder_of(path: Path, width: int) -> EncoderIdentity:
    """The content encoder in a file, as the maker of features of that width.

    Raises:
        WeightsError: if it is no content encoder, or gives no features of that width.
    """
    card = identify(path).card
    fix = "--encoder: the file of the encoder that made the features, or leave it out"
    if not isinstance(card, GivesContent):
        raise WeightsError(Problem("wrong-encoder", f"{path} is no content encoder", fix=fix))
    try:
        return card.giving(width)
    except ValueError as error:
        text = f"the features were not made by {path}: {error}"
        raise WeightsError(Problem("wrong-encoder", text, fix=fix)) from None


def has_card(target: Path) -> bool:
    """Whether the file format of a name holds a card."""
    return target.suffix.lower() == conversion.ENDING
