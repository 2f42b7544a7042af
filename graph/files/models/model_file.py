"""What the kinds of model files have in common: recognise, describe, convert, report errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import torch
from pydantic import ValidationError

from voicegraph.schemas.card import Card

from ...errors import Problem, WeightsError
from ..file_errors import printable
from ._archive import Archive
from .identify import first_validation_error, unknown_card
from .kinds import FileKind
from .wrong_kind import open_expected, wrong_kind

C = TypeVar("C", bound=Card)
S = TypeVar("S")
_UNUSABLE_TEXT = 500
"""Limit of the characters of ``Card.unusable``."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a model that is recognised and complete cannot be used.

    Attributes:
        reason: a sentence that continues ``FILE: an RVC voice, but``.
        fix: what to use instead.
        details: further lines, such as the settings that differ.
    """

    reason: str
    fix: str
    details: tuple[str, ...] = ()


class ModelFile(ABC):
    """A model in a file, recognised by its header. Each kind of file is a subclass.

    Attributes:
        name: of the kind, as in the card: ``voice``.
        noun: the kind in messages, with its article: ``an RVC voice``.
        fix: what to type if a file is of another kind.
        broken_code: the code of errors about broken files of this kind.
        broken_fix: what to do about a broken file.
        exported_by: nodes whose exported networks hold the weights of this kind; networks of others
            are of another kind.
    """

    __slots__ = ()
    name: ClassVar[str]
    noun: ClassVar[str]
    fix: ClassVar[str | None] = None
    broken_code: ClassVar[str] = "broken-weights"
    broken_fix: ClassVar[str] = (
        "use the file that its author publishes; another copy of this one is the same"
    )
    exported_by: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def find(cls, path: Path, archive: Archive | None) -> Self | None:
        """As :meth:`recognise`; also None for an exported network of another node.

        Raises:
            WeightsError: if it is of this kind, but broken.
        """
        export = None if archive is None else archive.export
        if export is not None and export.use not in cls.exported_by:
            return None
        return cls.recognise(path, archive)

    @classmethod
    @abstractmethod
    def recognise(cls, path: Path, archive: Archive | None) -> Self | None:
        """The model in a file; None if the file is of another kind.

        Args:
            path: of the file.
            archive: its tensors; None if it is not a file of tensors.

        Raises:
            WeightsError: if it is of this kind, but broken.
        """

    @abstractmethod
    def describe(self) -> Card:
        """The card: the one in a converted file, or one derived from the header."""

    @abstractmethod
    def tensors(self) -> dict[str, torch.Tensor]:
        """The tensors of the converted file.

        Raises:
            WeightsError: if a tensor holds NaN or infinity.
        """

    @property
    def unusable(self) -> Unusable | None:
        """Why no pipeline can use the model; None if one can."""
        return None

    @classmethod
    def open(cls, path: Path, fix: str | None = None) -> Self:
        """Reads the header of a file that must be of this kind, and usable.

        Args:
            path: of the file or folder.
            fix: what to type if it is something else.

        Raises:
            WeightsError: if it is of another kind, damaged, broken or unusable.
        """
        fix = cls.fix if fix is None else fix
        found = cls.find(path, open_expected(path, cls.noun, fix))
        if found is None:
            raise wrong_kind(path, cls.noun, fix)
        return found.checked(path)

    def checked(self, path: Path) -> Self:
        """The model itself, if it can be used.

        Args:
            path: of the file, for messages.

        Raises:
            WeightsError: if it is unusable.
        """
        if (reason := self.unusable) is not None:
            notes = tuple((printable(line)[:200], None) for line in reason.details)
            text = f"{path}: {self.noun}, but {printable(reason.reason)}"
            raise WeightsError(Problem("unusable-model", text, notes=notes, fix=reason.fix))
        return self

    def full_card(self) -> Card:
        """The card with the reason if the model is unusable."""
        card, reason = self.describe(), self.unusable
        if reason is None:
            return card
        text = "; ".join((reason.reason, *reason.details))
        return card.model_copy(update={"unusable": printable(text)[:_UNUSABLE_TEXT]})

    @classmethod
    def kind(cls) -> FileKind:
        """The entry for ``voicegraph inspect`` and ``convert``."""

        def card(path: Path, archive: Archive | None) -> Card | None:
            found = cls.find(path, archive)
            return None if found is None else found.full_card()

        def convert(path: Path, archive: Archive | None) -> tuple[dict[str, torch.Tensor], Card]:
            found = cls.find(path, archive)
            if found is None:
                raise wrong_kind(path, cls.noun, cls.fix)
            return found.tensors(), found.full_card()

        return FileKind(cls.name, cls.noun, card, convert)

    @classmethod
    def stated_card(cls, archive: Archive, model: type[C]) -> C | None:
        """The card in the header of a converted file; None if there is none of this kind.

        Raises:
            WeightsError: if the card does not fit its model.
        """
        if archive.card is None or archive.card.get("kind") != cls.name:
            return None
        try:
            return model.model_validate(archive.card)
        except ValidationError as error:
            raise unknown_card(archive.path, first_validation_error(error)) from None

    @classmethod
    def bounded_sizes(cls, path: Path, read: Callable[[], S], largest: S) -> S:
        """The sizes of a network by the shapes in its file, each at least 1.

        Bounds are needed because memory is allocated by what an untrusted file says.

        Args:
            path: of the file, for messages.
            read: reads the sizes, a dataclass of integers, off the shapes.
            largest: the upper bounds.

        Raises:
            WeightsError: if a tensor is missing or has too few axes, or a size is out of bounds.
        """
        try:
            found = read()
        except KeyError as error:
            raise cls.broken(path, f"it has no tensor {error}") from None
        except (IndexError, ZeroDivisionError):
            raise cls.broken(path, "one of its tensors has fewer axes than it should") from None
        bounds: Any = largest
        for field in fields(bounds):
            size, most = getattr(found, field.name), getattr(bounds, field.name)
            if not 1 <= size <= most:
                raise cls.broken(path, f"its size {field.name} is {size}, expected 1 to {most}")
        return found

    @classmethod
    def broken(cls, path: Path, why: str) -> WeightsError:
        """The error for a file of this kind that cannot be used.

        Args:
            path: of the file.
            why: continues the sentence ``FILE: an RVC voice, but``.
        """
        text = f"{path}: {cls.noun}, but {why}"
        return WeightsError(Problem(cls.broken_code, text, fix=cls.broken_fix))


def believed(stated: C, derived: C) -> C:
    """The card of a converted file, with what its tensors show where the two differ.

    Args:
        stated: in the header; what cannot be derived (``told``) is taken from it.
        derived: from the tensors.

    Returns:
        The card with a remark for every field in which ``stated`` was not believed.
    """
    told = {name: getattr(stated, name) for name in stated.told}
    differing = [
        f"its card states {name.replace('_', ' ')} {_short(getattr(stated, name))}; its tensors "
        f"show {_short(getattr(derived, name))}"
        for name in type(stated).model_fields
        if name not in {*told, "remarks", "unusable"}
        and getattr(stated, name) != getattr(derived, name)
    ]
    remarks = tuple(dict.fromkeys((*stated.remarks, *derived.remarks, *differing)))
    return derived.model_copy(update={**told, "remarks": remarks})


def _short(value: object) -> str:
    return printable(str(value))[:80]
