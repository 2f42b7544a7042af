"""Params of nodes and of plug-ins of experiments: the base class, and marks on single params.

Nothing here needs torch, so that programs which only read files and descriptions start quickly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, WithJsonSchema

T = TypeVar("T")


class _LiveMark:
    """Marks a param that may change between ticks."""


class _FileMark:
    """Marks a param that names a file, relative to the pipeline file in which it is written."""


class _OutputMark:
    """Marks a file name as that of a file that is written."""


Live = Annotated[T, _LiveMark()]
"""``gain: Live[float]``: the param may change between ticks, through ``Session.set``."""

FilePath = Annotated[Path, _FileMark(), WithJsonSchema({"type": "string", "format": "path"})]
"""A file named by a param. Relative names resolve against the pipeline file that contains them."""

OutputPath = Annotated[
    Path, _FileMark(), _OutputMark(), WithJsonSchema({"type": "string", "format": "path"})
]
"""A file that a node, or the session for it (:meth:`Node.keeps`), writes.

Everything that a node writes must be named by such a param: a session refuses files that only the
pipeline file asked for, unless their folder is allowed.
"""


class NodeParams(BaseModel):
    """Base of every node's ``Params``: frozen, unknown keys refused, defaults validated."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True
    )

    def check_change(self, new: Any) -> None:
        """Checks whether a running node may change from these params to ``new``.

        Both are valid and differ only in live params. The default allows every change.

        Raises:
            ValueError: if the change is not allowed; the text is shown to the user.
        """

    @classmethod
    def live_fields(cls) -> frozenset[str]:
        """Names of the params that may change between ticks."""
        return _marked(cls, _LiveMark)

    @classmethod
    def file_fields(cls) -> frozenset[str]:
        """Names of the params that hold file names, of files to read and of files to write."""
        return _marked(cls, _FileMark)

    @classmethod
    def output_fields(cls) -> frozenset[str]:
        """Names of the params that hold names of files to write."""
        return _marked(cls, _OutputMark)


def _marked(model: type[BaseModel], mark: type) -> frozenset[str]:
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if any(isinstance(entry, mark) for entry in field.metadata)
        or _mentions(field.annotation, mark)
    )


def _mentions(annotation: Any, mark: type) -> bool:
    """Looks for a mark inside an annotation: in ``FilePath | None`` it is on the union's member."""
    if any(isinstance(entry, mark) for entry in getattr(annotation, "__metadata__", ())):
        return True
    return any(_mentions(member, mark) for member in getattr(annotation, "__args__", ()))


class NoParams(NodeParams):
    """No params."""
