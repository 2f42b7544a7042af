"""The JSON output of commands (``--json``), on which programs can rely.

Names end in their unit (``_ms``, ``_hz``, ``_bytes``); ``null`` means "not known" or "none". New
keys may appear in later versions; those that are here keep their meaning.
"""

from __future__ import annotations

import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticSerializationError, to_jsonable_python


class Report(BaseModel):
    """Base of all reports: frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def model_dump_json(self, *, indent: int | None = None, **options: Any) -> str:
        r"""The report as JSON.

        On Linux a file's name may hold bytes that are no text; Python has lone surrogates in their
        place, which JSON cannot hold. They are written as text: ``\udcff``.
        """
        try:
            return super().model_dump_json(indent=indent, **options)
        except PydanticSerializationError:
            values = to_jsonable_python(_as_text(self.model_dump(**options)), inf_nan_mode="null")
            separators = (",", ":") if indent is None else None
            return json.dumps(values, indent=indent, separators=separators, ensure_ascii=False)

    @classmethod
    def of_any_version(cls, text: str | bytes) -> Self:
        """Reads what another version may have written: unknown keys are skipped.

        Raises:
            pydantic.ValidationError: if something is missing, or has another form.
        """
        return cls.model_validate_json(text, extra="ignore")


def _as_text(value: Any) -> Any:
    """The value with all text in it as Unicode."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_as_text(key): _as_text(item) for key, item in value.items()}
        case list() | tuple():
            return [_as_text(item) for item in value]
    return value


class ProblemReport(Report):
    """One mistake; see ``graph/errors.py``."""

    code: str
    """A stable short name, such as ``unknown-node``."""
    message: str
    """One sentence: what was expected, and what was found."""
    where: str | None
    """``file:line:column``, or the option that contains it."""
    line: int | None
    """Line in the file, from 1."""
    column: int | None
    """Column in the line, from 1."""
    notes: list[str]
    """Causes, one per line."""
    fix: str | None
    """A command or a change that fixes it."""


class FileUse(Report):
    """A file that a pipeline reads or writes."""

    path: str
    """Where it is, without links; inside the package it begins with ``voicegraph/``."""
    by: list[str]
    """``node.param``, or ``pipeline`` for a pipeline file."""
    asked: bool
    """Whether it needs no permission: it is read, or the user gave its name with ``--set``."""


class CheckedPipeline(Report):
    """One pipeline that was checked."""

    pipeline: str
    """Its name on the command line."""
    ok: bool
    """Whether it compiles."""
    summary: str | None
    """One line about the plan; null if there is none."""
    warnings: list[str]
    """What is allowed, but perhaps not intended."""
    reads: list[FileUse] = Field(default_factory=list)
    """The files that it reads."""
    writes: list[FileUse] = Field(default_factory=list)
    """The files that its nodes write."""
    problems: list[ProblemReport]
    """All problems."""


class CheckReport(Report):
    """``voicegraph check --json``."""

    ok: bool
    """Whether all pipelines compile."""
    pipelines: list[CheckedPipeline]
    """In the order of the command line."""


class PortInfo(Report):
    """One port as its node declares it."""

    name: str
    """The name of the port."""
    kind: Literal["audio", "features", "pitch", "mask"]
    """The kind of signal."""
    rate: str
    """``16000 Hz``, ``any``, ``as audio`` (that input's), ``from params``, or ``worked out``."""
    width: str | None
    """Channels or dimensions in the same words; null for kinds that have one value a frame."""
    optional: bool
    """An input that may be left out."""
    window: bool
    """An output that is recomputed at every tick, or an input that accepts such spans."""
    doc: str
    """One line for people; may be empty."""


class ParamInfo(Report):
    """One param of a node."""

    name: str
    """The name of the param."""
    type: str
    """In words: ``number``, ``duration``, ``one of: soft, hard``."""
    unit: str | None
    """``dB``, ``Hz``, ``semitones``; null if the value contains its unit, or has none."""
    range: str | None
    """``-120 .. 60``, ``at least 0``, ``more than 0``."""
    default: Any
    """In the form of a pipeline file; null if there is none."""
    required: bool
    """Whether it has no default."""
    live: bool
    """Whether it may change between ticks."""
    file: bool
    """Whether it names a file."""
    doc: str
    """What it does."""


class NodeInfo(Report):
    """One registered node."""

    name: str
    """``family.name``."""
    summary: str
    """The first line of its documentation."""
    doc: str
    """The whole documentation."""
    interface: str | None
    """The named port contract that it fulfils; nodes of one interface are exchangeable."""
    inputs: list[PortInfo]
    """The first is the one that `in: node` means."""
    outputs: list[PortInfo]
    """The first is the one that a node name alone means."""
    params: list[ParamInfo]
    """In the order of the node's file."""
    devices: list[str]
    """Where it can run."""
    dtypes: list[str]
    """In which precision it can compute."""
    chunking: str
    """``exact``: the same output in blocks of any size; ``windowed``: it depends on block size."""
    pure: bool
    """Whether it is stateless."""
    error: str | None
    """Why the node cannot be loaded; the other fields are then empty."""


class NodesReport(Report):
    """``voicegraph nodes --json``."""

    nodes: list[NodeInfo]
    """By name."""


class Component(Report):
    """A library or a part of the machine."""

    name: str
    """Such as ``torch``."""
    ok: bool
    """Whether it works."""
    required: bool
    """Whether voicegraph needs it."""
    version: str | None
    """Its version; null if it is missing."""
    detail: str
    """Its purpose, and what is wrong."""
    fix: str | None
    """The command that fixes it; several are separated by line breaks."""


class CudaDevice(Report):
    """One GPU."""

    name: str
    """Its name in the driver."""
    device: str
    """Its name in pipeline files: ``cuda:0``."""
    memory_bytes: int
    """Total memory."""
    free_bytes: int | None
    """Free memory; null if unknown."""


class SoundCards(Report):
    """Sound devices that PortAudio finds."""

    host_apis: list[str]
    """Such as ``ALSA`` or ``Windows WASAPI``."""
    inputs: int
    """Devices that record."""
    outputs: int
    """Devices that play."""


class PrecisionTrial(Report):
    """What this processor takes for a network of full size where a pipeline says `dtype: auto`."""

    node: str
    """The node that has such a network."""
    threads: int
    """Threads that computed it."""
    precision: str
    """The precision that it takes."""
    milliseconds: dict[str, float]
    """What the trial measured for a block of 240 ms, by precision; empty if nothing was tried."""


class DoctorReport(Report):
    """``voicegraph doctor --json``."""

    ok: bool
    """Whether everything that is required works."""
    voicegraph: str
    """Version of voicegraph."""
    python: str
    """Version and implementation."""
    platform: str
    """Operating system and architecture."""
    processor: str
    """Name of the processor."""
    cores: int
    """Logical cores that this process may use."""
    threads: int | None
    """Threads torch uses for one operation."""
    precisions: list[PrecisionTrial] = []
    """What networks of full size compute in with `dtype: auto`."""
    components: list[Component]
    """Libraries, required ones first."""
    cuda: list[CudaDevice]
    """GPUs that torch can use."""
    sound: SoundCards | None
    """Sound cards; null without the `live` extra."""
    audio_formats: list[str]
    """File formats that libsndfile reads and writes."""
