"""File sink: writes audio outputs of nodes to sound files while a session runs.

A node names the files (:meth:`~voicegraph.graph.node.Node.keeps`); the session writes them. Files
are opened after the warm-up, so they contain only real input, and are written block by block in
constant memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import OutputError, Problem
from ..providers import provided
from ..signals import Audio
from .engine import Engine, Step


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
    """One output port and its file."""

    step: Step
    port: str
    writer: SampleWriter

    def write(self) -> None:
        made = self.step.outputs[self.port].detach().cpu()
        try:
            self.writer.write(made.reshape(-1, made.shape[-1]).numpy())
        except OutputError as error:
            raise OutputError(_named(self.step.name, p) for p in error.problems) from None

    def finish(self) -> None:
        """Finishes the file; without any frames no file remains."""
        if self.writer.frames:
            self.writer.commit()
        else:
            self.writer.discard()


class FileSink:
    """The sound files of one session.

    A file has the channels of its port; with several streams, those of all streams in order.

    Raises:
        OutputError: if files exist already or cannot be written; with all problems.
    """

    def __init__(self, engine: Engine) -> None:
        self._files: list[_OpenFile] = []
        problems: list[Problem] = []
        for step in engine.steps:
            params = step.params[0] if isinstance(step.params, list) else step.params
            for port, path in step.node.keeps(params).items():
                try:
                    writer = _open(step, port, path, engine.streams)
                except OutputError as error:
                    problems.extend(_named(step.name, problem) for problem in error.problems)
                else:
                    self._files.append(_OpenFile(step, port, writer))
        if problems:
            self.close()
            raise OutputError(problems)

    def write(self) -> None:
        """Appends the outputs of the newest tick.

        Raises:
            OutputError: if a file cannot be written; half a file is deleted, one that is full is
                kept.
        """
        for file in self._files:
            try:
                file.write()
            except OutputError as error:
                if any(problem.code != "file-full" for problem in error.problems):
                    file.writer.discard()
                    self._files.remove(file)
                raise

    def rebind(self, engine: Engine) -> None:
        """Continues with the nodes of the same names in another engine."""
        for file in self._files:
            file.step = engine.by_name[file.step.name]

    def close(self) -> None:
        """Finishes all files. Safe to call twice.

        Raises:
            OutputError: with the problems of every file that could not be finished.
        """
        files, self._files = self._files, []
        problems: list[Problem] = []
        for file in files:
            try:
                file.finish()
            except OutputError as error:
                problems.extend(_named(file.step.name, problem) for problem in error.problems)
        if problems:
            raise OutputError(problems)


def _open(step: Step, port: str, path: Path, streams: int) -> SampleWriter:
    found = step.node.output_types[port]
    assert isinstance(found, Audio)
    return provided("audio_writer")(
        path, Audio(found.rate, streams * found.channels), subtype="float"
    )


def _named(node: str, problem: Problem) -> Problem:
    """The problem with the node's name in front. Existing files are never replaced."""
    fix = "choose another name, or remove the file" if problem.code == "exists" else problem.fix
    return replace(problem, message=f"{node}: {problem.message}", fix=fix)
