"""What an experiment file says about the page."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voicegraph.schemas.experiment_values import FileModel, Text

SoundFormat = Literal["opus", "mp3", "flac"]
"""How a page has its sounds."""


class PageAudio(FileModel):
    """What the page plays."""

    clips: int = Field(
        default=3, ge=0, le=100, description="clips with their variants, 40 at most", examples=[3]
    )
    worst: int = Field(
        default=5, ge=0, le=100, description="worst clips of each metric", examples=[5]
    )


class ReportSpec(FileModel):
    """The page."""

    title: Text | None = Field(
        default=None, description="title; null: the file's name", examples=["text"]
    )
    audio: PageAudio = Field(
        default_factory=PageAudio, description="what it plays", examples=[{"clips": 3, "worst": 5}]
    )
    format: SoundFormat = Field(
        default="opus",
        description="format of its sounds; mp3 and flac are for browsers that cannot decode Opus "
        "in Ogg",
        examples=["opus"],
    )
