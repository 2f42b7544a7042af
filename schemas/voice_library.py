"""The library of voices: the card of each voice and model, and what `voice list` and `show` print.

A card is the file ``card.json`` in the folder of its voice. It says what the files beside it are,
so that programs need not open them: which network speaks, which content encoder it takes, which
settings fit it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .encoder_card import Fingerprint
from .report import ProblemReport, Report
from .voice_register import VoiceRegister

VoiceKind = Literal["rvc", "source_filter"]
ModelKind = Literal["content_encoder", "phonetic_encoder", "pitch_model"]
PictureType = Literal["image/png", "image/jpeg", "image/webp", "image/gif"]
NAME = r"^[^\W_][\w-]{0,62}$"
"""Names in the library: letters and digits of any script, ``_`` and ``-``."""


class KeptFile(Report):
    """A file of the library."""

    file: str
    """Its name in the folder of its voice, with ``/`` as the separator."""
    bytes: int = Field(ge=0)
    """Its size."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of its contents: files are identified by it, never by a name."""
    was: str = Field(max_length=400)
    """The name that it had when it was added, with the archive that held it."""


class VoiceSettings(Report):
    """Settings that fit a voice; null leaves what the pipeline has."""

    transpose: float | None = Field(default=None, ge=-48, le=48, allow_inf_nan=False)
    """Pitch shift in semitones."""
    formant: float | None = Field(default=None, ge=-24, le=24, allow_inf_nan=False)
    """Formant shift in semitones."""
    index_rate: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    """Share of content features taken from the index."""
    protect: float | None = Field(default=None, ge=0, le=0.5, allow_inf_nan=False)
    """Share of retrieval in unvoiced sounds."""
    speaker: int | None = Field(default=None, ge=0)
    """Which speaker of the voice."""

    def overrides(self) -> dict[str, Any]:
        """The settings by dotted path: ``vars.transpose``."""
        return {f"vars.{name}": value for name, value in self.model_dump(exclude_none=True).items()}


class WantedEncoder(Report):
    """The content encoder that a voice takes, and which of the library it is."""

    asset: Literal["hubert", "phonetic"]
    """The asset of a pipeline that names it."""
    width: int | None = Field(default=None, ge=1)
    """Width of its features; null if the voice does not show it."""
    layer: int | None = Field(default=None, ge=1)
    """Encoder layer of the features; null if the voice does not state it."""
    projected: bool | None = None
    """Whether they pass the encoder's final projection; null if it is not stated."""
    fingerprint: Fingerprint | None = None
    """Identity of the encoder that it was trained on, if the voice states it."""
    stated: str = Field(default="", max_length=200)
    """The name that the trainer recorded, which is no proof."""
    name: str | None = None
    """The encoder in the library that it uses; null if none was found, or it comes along with the
    pipeline."""
    chosen_by: Literal["", "fingerprint", "stated name", "the only one", "given", "bundled"] = ""
    """How it was chosen; empty if none was found."""


class MergedParent(Report):
    """A voice from which another one was merged."""

    name: str
    """Its name in the library at that time."""
    title: str
    """Its title."""
    share: float = Field(ge=0, le=1)
    """Its share of the weights."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of its file."""


class LibraryCard(Report):
    """The card of a voice, an encoder or a pitch model in the library."""

    format: Literal[1] = 1
    """Version of the card's format."""
    name: str = Field(pattern=NAME)
    """Its name in the library."""
    title: str = Field(max_length=200)
    """Its name for people."""
    kind: VoiceKind | ModelKind
    """``rvc`` and ``source_filter`` are voices; the others are models that voices need."""
    form: Literal["safetensors", "onnx"] = "safetensors"
    """Format of the model's file."""
    description: str = Field(default="", max_length=4000)
    """What its author says about it."""
    author: str = Field(default="", max_length=200)
    """Who made it, if that is stated."""
    licence: str = Field(default="", max_length=20_000)
    """Terms of use: a name, or the text that came with it; empty if none are stated."""
    source: str = Field(default="", max_length=2000)
    """What it was added from."""
    added: str = Field(default="", max_length=40)
    """When, in ISO 8601; empty for bundled voices."""
    model: KeptFile
    """The voice, encoder or pitch model itself."""
    index: KeptFile | None = None
    """The index of the voice; null if it has none, or it is in the voice's own file."""
    picture: KeptFile | None = None
    """Its picture; null without one."""
    picture_type: PictureType | None = None
    """Media type of the picture."""
    rate_hz: int | None = Field(default=None, gt=0)
    """Sample rate of what a voice speaks; null if its file does not show it."""
    version: Literal["v1", "v2"] | None = None
    """Version of an RVC voice; null for others."""
    f0: bool = True
    """Whether a voice takes pitch."""
    speakers: int | None = Field(default=None, ge=1)
    """Number of speakers of a voice; null if its file does not show it."""
    encoder: WantedEncoder | None = None
    """The content encoder that a voice takes."""
    fingerprint: Fingerprint | None = None
    """Identity of an encoder; null for others, and for ONNX files that do not state it."""
    widths: tuple[int, ...] = ()
    """Widths of the features that an encoder gives."""
    pitch: VoiceRegister | None = None
    """The pitch that a voice speaks with, if it is known."""
    settings: VoiceSettings = VoiceSettings()
    """Settings that fit a voice."""
    parents: tuple[MergedParent, ...] = ()
    """The voices that it was merged from."""
    remarks: tuple[str, ...] = ()
    """What its check found, and how its files were paired."""
    generation: str = ""
    """Folder of its files in that of the voice; another one at each replacement."""

    @property
    def is_voice(self) -> bool:
        """Whether it is a voice, and not a model that voices need."""
        return self.kind in ("rvc", "source_filter")


class LibraryItem(Report):
    """A voice or model of the library, as ``voice list`` and ``voice show`` print it."""

    name: str
    """Its name: what ``vars.voice`` takes."""
    bundled: bool
    """Whether it comes with voicegraph, and cannot be removed."""
    card: LibraryCard
    """What is known of it."""
    model: str
    """Path of the model's file."""
    index: str | None
    """Path of its index; null without one."""
    encoder: str | None
    """Path of the encoder that it takes; null if it is missing, or comes with the pipeline."""
    picture: str | None
    """Path of its picture; null without one."""
    needs: list[ProblemReport]
    """What is missing before a voice can speak, each with what to type; empty if it is ready."""
    pipelines: list[str]
    """Bundled pipelines that can speak with a voice, the best first."""
    settings: dict[str, Any]
    """Settings that fit a voice: dotted path of a pipeline -> value."""


class UnreadableItem(Report):
    """A folder of the library whose card cannot be used."""

    name: str
    """Name of the folder."""
    problem: ProblemReport
    """Why, and what to type."""


class LibraryReport(Report):
    """``voicegraph voice list --json``."""

    folder: str
    """The folder of the library."""
    voices: list[LibraryItem]
    """Voices by name."""
    models: list[LibraryItem]
    """Encoders and pitch models by name."""
    unreadable: list[UnreadableItem]
    """What is in the folder and cannot be used."""


class LeftOut(Report):
    """A file that was not kept."""

    file: str
    """Its name, with the archive that holds it."""
    why: str
    """Why it was left out."""


class AddReport(Report):
    """``voicegraph voice add --json``, ``voice merge --json`` and ``voice edit --json``."""

    folder: str
    """The folder of the library."""
    added: list[LibraryItem]
    """What is in the library now, voices first."""
    adopted: dict[str, str]
    """Voices that had no encoder and use one of these now: voice -> encoder."""
    left_out: list[LeftOut]
    """Files that were not kept."""


class RemoveReport(Report):
    """``voicegraph voice remove --json``."""

    removed: list[str]
    """Names that are no longer in the library."""
    orphaned: list[str]
    """Voices that used an encoder that was removed, and need one now."""
