"""File sink: writes audio outputs of nodes to sound files while a session runs.

A node names the files (:meth:`~voicegraph.graph.node.Node.keeps`); the session writes them. Files
are opened after the warm-up, so they contain only real input, and are written block by block in
constant memory: by a thread of their own if the session must not wait for the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import OutputError, Problem
from ..providers import provided
from ..signals import Audio
from .background_writer import BackgroundWriter
from .engine import Engine, Step
from .write_permission import resolved

_QUEUE_LENGTH = 512
"""Most blocks in the queue, of all files together."""


class SampleWriter(Protocol):
    """A sound file being written; ``graph/files/sound`` has the implementation."""

    @property
    def frames(self) -> int:
        """Frames written so far."""
        ...

    def write(self, samples: np.ndarray) -> None:
        """Appends ``[channels, samples]``, float32."""

    def commit(self) -> None:
        """Moves the finished file to its final name."""

    def discard(self) -> None:
        """Deletes the unfinished file."""


@dataclass(slots=True)
class _OpenFile:
    """One output port and its file.

    Attributes:
        step: the node.
        port: its output.
        path: the file, without links.
        writer: writes it.
        failed: why it ended early.
        dropped: blocks that were left out because the disk was too slow.
        gap: samples left out since the last one that was queued.
    """

    step: Step
    port: str
    path: Path
    writer: SampleWriter
    failed: OutputError | None = None
    dropped: int = 0
    gap: int = 0

    def newest(self) -> np.ndarray:
        """The output of the newest tick, ``[channels, samples]``."""
        made = self.step.outputs[self.port].detach().cpu()
        return made.reshape(-1, made.shape[-1]).numpy()

    def append(self, samples: np.ndarray, gap: int) -> None:
        """Appends samples, after silence in the place of ``gap`` samples that were left out."""
        if self.failed is not None:
            return
        try:
            if gap:
                self.writer.write(np.zeros((samples.shape[0], gap), np.float32))
            self.writer.write(samples)
        except OutputError as error:
            self.failed = OutputError(_named(self.step.name, p) for p in error.problems)

    def fault(self) -> str | None:
        """What is wrong with the file, as a sentence; None if nothing is."""
        if self.failed is not None:
            return self.failed.problems[0].message
        if self.dropped:
            return (
                f"{self.step.name}: {self.path} lacks {self.dropped} blocks, with silence in their "
                "place: the disk is too slow"
            )
        return None

    def finish(self) -> None:
        """Finishes the file; after an error, or without any frames, no file remains.

        A file that is full holds all that it can, and is kept.
        """
        full = self.failed is not None and self.failed.problems[0].code == "file-full"
        if (self.failed is not None and not full) or not self.writer.frames:
            self.writer.discard()
        elif resolved(self.path) != self.path:
            self.writer.discard()
            text = f"{self.path} cannot be written: a link was put in its place meanwhile"
            raise OutputError(Problem("link-in-place", text, fix="remove the link"))
        else:
            self.writer.commit()
        if self.failed is not None:
            raise self.failed
        if (text := self.fault()) is not None:
            raise OutputError(Problem("incomplete-file", text, fix="write to a faster disk"))


class FileSink:
    """The sound files of one session.

    A file has the channels of its port; with several streams, those of all streams in order.

    Args:
        engine: of the session.
        targets: the files that may be written: as a node names them -> without links.
        waits: write at once, on the thread of the session; errors are raised there.

    Raises:
        OutputError: if files exist already or cannot be written; with all problems.
    """

    def __init__(self, engine: Engine, targets: Mapping[Path, Path], waits: bool = True) -> None:
        self._files: list[_OpenFile] = []
        self._background: BackgroundWriter | None = None
        problems: list[Problem] = []
        for step in engine.steps:
            params = step.params[0] if isinstance(step.params, list) else step.params
            for port, path in step.node.keeps(params).items():
                try:
                    self._files.append(_open(step, port, path, targets, engine.streams))
                except OutputError as error:
                    problems.extend(_named(step.name, problem) for problem in error.problems)
        if problems:
            for file in self._files:
                file.writer.discard()
            raise OutputError(problems)
        if not waits:
            self._background = BackgroundWriter("voicegraph-files", _QUEUE_LENGTH)

    def write(self) -> None:
        """Appends the outputs of the newest tick.

        Raises:
            OutputError: if a file cannot be written, and the sink waits.
        """
        for file in self._files:
            samples = file.newest()
            if self._background is None:
                file.append(samples, 0)
                if file.failed is not None:
                    self._files.remove(file)
                    file.finish()  # deletes what would be half of a file, and raises
            else:
                self._queue(file, samples.copy(), self._background)

    def _queue(self, file: _OpenFile, samples: np.ndarray, background: BackgroundWriter) -> None:
        gap = file.gap
        if background.submit(lambda: file.append(samples, gap)):
            file.gap = 0
        else:
            file.gap += samples.shape[1]
            file.dropped += 1

    def faults(self) -> list[str]:
        """What is wrong with the files so far, a sentence each; from any thread."""
        return [text for file in self._files if (text := file.fault()) is not None]

    def rebind(self, engine: Engine) -> None:
        """Continues with the nodes of the same names in another engine."""
        for file in self._files:
            file.step = engine.by_name[file.step.name]

    def close(self) -> None:
        """Finishes all files. Safe to call twice.

        Raises:
            OutputError: with the problems of every file that could not be finished.
        """
        problems: list[Problem] = []
        if self._background is not None:
            self._background.close()
            if self._background.failed is not None:
                text = f"files of nodes are incomplete: {self._background.failed}"
                problems.append(Problem("cannot-write", text))
        files, self._files = self._files, []
        for file in files:
            try:
                file.finish()
            except OutputError as error:
                problems.extend(_named(file.step.name, problem) for problem in error.problems)
        if problems:
            raise OutputError(problems)


def _open(
    step: Step, port: str, path: Path, targets: Mapping[Path, Path], streams: int
) -> _OpenFile:
    found = step.node.output_types[port]
    assert isinstance(found, Audio)
    if path not in targets:
        text = f"its file {path} is the value of no param of the type OutputPath"
        raise OutputError(Problem("write-not-declared", text))
    target = targets[path]
    wide = Audio(found.rate, streams * found.channels)
    writer = provided("audio_writer")(target, wide, subtype="float")
    return _OpenFile(step, port, target, writer)


def _named(node: str, problem: Problem) -> Problem:
    """The problem with the node's name in front. Existing files are never replaced."""
    fix = "choose another name, or remove the file" if problem.code == "exists" else problem.fix
    head = f"{node}: "
    message = problem.message if problem.message.startswith(head) else head + problem.message
    return replace(problem, message=message, fix=fix)
