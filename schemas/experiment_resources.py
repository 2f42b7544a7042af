"""What the tasks of an experiment may take, and what the folder of a run keeps."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voicegraph.schemas.experiment_values import FileModel
from voicegraph.schemas.quantities import Duration, Memory


class Resources(FileModel):
    """What tasks may take."""

    task_seconds: float = Field(
        default=15.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="how long one batch of tasks should compute, in seconds",
        examples=[15],
    )
    task_memory: Memory | None = Field(
        default=None,
        description="memory that a worker may take; null does not limit it",
        examples=["2GB"],
    )
    deadline: Duration | None = Field(
        default=None,
        gt=0,
        description="when a task is late; null: 10 times the median of its kind + 60 s",
        examples=["120s"],
    )
    retries: int = Field(
        default=2,
        ge=0,
        le=20,
        description="attempts after a worker or machine has failed",
        examples=[2],
    )
    threads: int = Field(
        default=1, ge=1, le=256, description="threads of a task; part of what results depend on",
        examples=[1],
    )  # fmt: skip


class Keep(FileModel):
    """What the run's folder keeps besides tables."""

    audio: Literal["all", "report", "none"] = Field(
        default="report",
        description="sounds: all, what the page plays, or none",
        examples=["report"],
    )
    taps: Literal["all", "report", "none"] = Field(
        default="none", description="recorded ports", examples=["none"]
    )
