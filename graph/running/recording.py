"""Recordings: what a run needs to happen again, and the replay.

A recording ``NAME.jsonl`` holds a header (plan hash, versions, machine, seed, threads) and one line
per event; ``NAME.f32`` beside it holds the input as the graph saw it, raw little-endian float32,
block after block ``[streams, channels, samples]``. Both grow as the session runs, so that a crash
loses nothing that was written. On the same machine, versions and threads a replay is bit-identical.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import OutputError, Problem, StateError
from .values import from_json, to_json

if TYPE_CHECKING:
    from ..plan import Plan
    from .controls import Change

_FORMAT = "voicegraph-recording-1"


def samples_path(path: Path) -> Path:
    """The file that holds a recording's samples."""
    return path.with_suffix(".f32")


class Recorder:
    """Writes a recording while a session runs.

    Raises:
        OutputError: if the files cannot be written, here or later.
    """

    def __init__(self, path: Path, plan: Plan, streams: int) -> None:
        self._path = path
        if path.suffix == ".f32":
            text = f"{path}: that ending is for the samples beside a recording"
            raise OutputError(Problem("cannot-write", text, fix=str(path.with_suffix(".jsonl"))))
        with ExitStack() as opened, self._writing():
            self._events = opened.enter_context(path.open("w", encoding="utf-8"))
            self._samples = opened.enter_context(samples_path(path).open("wb"))
            self._files = opened.pop_all()
        self._write({"format": _FORMAT, **_circumstances(plan, streams)})

    def block(self, block: torch.Tensor) -> None:
        """Notes the input of one tick."""
        with self._writing():
            self._samples.write(np.ascontiguousarray(block.numpy(), dtype="<f4").tobytes())
            self._samples.flush()

    def control(self, tick: int, change: Change) -> None:
        """Notes a control change and the tick from which it is in force."""
        value = to_json(change.value)
        self._write({"tick": tick, "set": change.param, "value": value, "stream": change.stream})

    def reset(self, tick: int, stream: int | None) -> None:
        """Notes a reset before a tick."""
        self._write({"tick": tick, "reset": True, "stream": stream})

    def close(self) -> None:
        """Finishes both files. Safe to call twice."""
        with self._writing():
            self._files.close()

    def _write(self, event: dict[str, Any]) -> None:
        with self._writing():
            self._events.write(json.dumps(event) + "\n")
            self._events.flush()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            text = f"the recording {self._path} cannot be written: {error.strerror}"
            raise OutputError(Problem("cannot-write", text)) from None


def _circumstances(plan: Plan, streams: int) -> dict[str, Any]:
    """What bit-identity depends on."""
    return {
        "plan": plan.hash,
        "pipeline": plan.name,
        "streams": streams,
        "channels": plan.source.channels,
        "samples": plan.samples_in,
        "seed": plan.settings.seed,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }


def replay(plan: Plan, path: str | Path) -> Iterator[np.ndarray]:
    """Runs a recording again: the output blocks, ``[streams, channels, samples]``.

    Raises:
        StateError: if the file is no recording, or was made with another plan.
    """
    recording = _read(Path(path))
    if recording.plan != plan.hash:
        text = f"{path} was recorded with plan {recording.plan}, this plan is {plan.hash}"
        raise StateError(Problem("other-plan", text, fix="use the same pipeline and overrides"))
    return _run(plan, samples_path(Path(path)), recording)


def _run(plan: Plan, samples_file: Path, recording: _Recording) -> Iterator[np.ndarray]:
    shape = (recording.streams, plan.source.channels, plan.samples_in)
    size = 4 * math.prod(shape)
    with plan.session(recording.streams) as session, samples_file.open("rb") as samples:
        tick = 0
        while len(raw := samples.read(size)) == size:
            for event in recording.events.get(tick, ()):
                if "set" in event:
                    session.set(event["set"], from_json(event["value"]), event["stream"])
                else:
                    session.reset(event["stream"])
            yield session.process(np.frombuffer(raw, "<f4").reshape(shape).astype(np.float32))
            tick += 1


@dataclass(frozen=True, slots=True)
class _Recording:
    """What the events file says; ``events`` by the tick before which they happened."""

    plan: str
    streams: int
    events: dict[int, list[dict[str, Any]]]


def _read(path: Path) -> _Recording:
    try:
        header, *lines = _lines(path)
        if header["format"] != _FORMAT or not samples_path(path).is_file():
            raise KeyError("format")
        events: dict[int, list[dict[str, Any]]] = {}
        for event in lines:
            complete = {"stream", "value"} if "set" in event else {"stream", "reset"}
            if not complete <= event.keys():
                raise KeyError("event")
            events.setdefault(int(event["tick"]), []).append(event)
        return _Recording(str(header["plan"]), int(header["streams"]), events)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        text = f"{path} is no recording, or its samples are missing"
        raise StateError(Problem("no-recording", f"{text} ({type(error).__name__})")) from None


def _lines(path: Path) -> list[Any]:
    """The events. A last line that a crash cut off has no line end, and is left out."""
    *whole, _ = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in whole]
