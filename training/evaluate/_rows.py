"""The rows of the table, from ``rows.yaml``."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from voicegraph.nodes.synth.source_filter_file import open_source_filter

TABLE = Path(__file__).with_name("rows.yaml")
_FEMALE_ABOVE_HZ = 155.0


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["source", "target", "pipeline"] = Field("pipeline", alias="is")
    pipeline: str | None = None
    set: dict[str, str | float | bool | None] = {}
    match: Literal["transpose", "start"] | None = None
    noise: list[float | None] = [None]
    voices: list[str] | None = None

    @model_validator(mode="after")
    def _whole(self) -> _Entry:
        if (self.kind == "pipeline") != (self.pipeline is not None):
            raise ValueError("a row has either `pipeline`, or `is: source` or `is: target`")
        return self


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    against: str
    rows: dict[str, _Entry]


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that clips are converted to.

    Attributes:
        path: its file.
        median_hz: of its F0.
        trained: the training, as its card describes it.
    """

    path: Path
    median_hz: float
    trained: str = ""

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.stem

    @property
    def sex(self) -> str:
        """``M`` or ``F``, guessed from the median F0."""
        return "F" if self.median_hz > _FEMALE_ABOVE_HZ else "M"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        name: in ``rows.yaml``.
        voice: the target, to which speaker similarity is measured.
        kind: the source itself, the target itself, or a conversion.
        pipeline: its name, for a conversion.
        overrides: of the pipeline, by dotted path.
        match: what is set from each speaker's median F0; see ``rows.yaml``.
        snr_db: signal-to-noise ratio of the input; None adds no noise.
    """

    name: str
    voice: Voice
    kind: Literal["source", "target", "pipeline"]
    pipeline: str = ""
    overrides: tuple[tuple[str, Any], ...] = ()
    match: Literal["transpose", "start"] | None = None
    snr_db: float | None = None

    @property
    def condition(self) -> str:
        """Name and noise, without the voice."""
        return self.name if self.snr_db is None else f"{self.name}, {self.snr_db:g} dB"

    @property
    def label(self) -> str:
        """Unique name of the row."""
        return f"{self.voice.name}: {self.condition}"


def open_voice(path: Path) -> Voice:
    """Opens a voice's file.

    Raises:
        WeightsError: if it is not a voice.
    """
    card = open_source_filter(path)[1]
    trained = ", ".join(f"{name} {value}" for name, value in card.trained.items())
    return Voice(path.resolve(), card.prosody.median_hz, trained)


def rows(
    voices: Sequence[Voice], wanted: Sequence[str] = ("*",), table: Path = TABLE
) -> tuple[list[Row], str]:
    """The rows of all voices whose condition matches a pattern, and the row to compare with.

    Raises:
        SystemExit: if the table is wrong, or a pattern matches nothing.
    """
    try:
        read = _Table.model_validate(yaml.safe_load(table.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise SystemExit(f"{table} is not a table of rows: {error}") from None
    made = [row for voice in voices for row in _of_voice(read, voice)]
    known = list(dict.fromkeys(row.condition for row in made))
    for pattern in wanted:
        if not fnmatch.filter(known, pattern):
            text = f"no row is called {pattern!r}; there are:"
            raise SystemExit("\n  ".join([text, *known]))
    chosen = {name for pattern in wanted for name in fnmatch.filter(known, pattern)}
    return [row for row in made if row.condition in chosen], read.against


def _of_voice(table: _Table, voice: Voice) -> list[Row]:
    return [
        Row(
            name=name,
            voice=voice,
            kind=entry.kind,
            pipeline=entry.pipeline or "",
            overrides=tuple(entry.set.items()),
            match=entry.match,
            snr_db=snr,
        )
        for name, entry in table.rows.items()
        if entry.voices is None or voice.name in entry.voices
        for snr in entry.noise
    ]
