"""Keeps what passes: audio outputs that nodes want written go to sound files as a session runs.

A node says which file (:meth:`~voicegraph.graph.node.Node.keeps`) and never touches one itself.
Files are opened after the warm-up, so they hold what really ran, and grow block by block in
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
    """A sound file in the making; ``graph/files/sound`` has the one that is used."""

    @property
    def frames(self) -> int:
        """Frames written so far."""
        ...

    def write(self, samples: np.ndarray) -> None:
        """Appends ``[channels, samples]``, float32."""

    def commit(self) -> None:
        """Gives the file its name."""

    def discard(self) -> None:
        """Removes what was written."""


@dataclass(slots=True)
class _Kept:
    """One port and the file that it goes to."""

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
        """Gives the file its name; where nothing has passed, there is no file."""
        if self.writer.frames:
            self.writer.commit()
        else:
            self.writer.discard()


class Keeper:
    """The files of one session.

    Channels are those of the port; with several streams, stream after stream.

    Raises:
        OutputError: if a file exists already or cannot be written; all problems together.
    """

    def __init__(self, engine: Engine) -> None:
        self._kept: list[_Kept] = []
        problems: list[Problem] = []
        for step in engine.steps:
            params = step.params[0] if isinstance(step.params, list) else step.params
            for port, path in step.node.keeps(params).items():
                try:
                    writer = _open(step, port, path, engine.streams)
                except OutputError as error:
                    problems.extend(_named(step.name, problem) for problem in error.problems)
                else:
                    self._kept.append(_Kept(step, port, writer))
        if problems:
            self.close()
            raise OutputError(problems)

    def write(self) -> None:
        """Takes what the newest tick made.

        Raises:
            OutputError: if a file cannot be written further; what it holds already stays.
        """
        for kept in self._kept:
            kept.write()

    def rebind(self, engine: Engine) -> None:
        """Goes on with the nodes of the same names in another engine."""
        for kept in self._kept:
            kept.step = engine.by_name[kept.step.name]

    def close(self) -> None:
        """Finishes all files. Safe to call twice.

        Raises:
            OutputError: with the problems of every file that could not be finished.
        """
        kept, self._kept = self._kept, []
        problems: list[Problem] = []
        for one in kept:
            try:
                one.finish()
            except OutputError as error:
                problems.extend(_named(one.step.name, problem) for problem in error.problems)
        if problems:
            raise OutputError(problems)


def _open(step: Step, port: str, path: Path, streams: int) -> SampleWriter:
    found = step.node.output_types[port]
    assert isinstance(found, Audio)
    return provided("audio_writer")(
        path, Audio(found.rate, streams * found.channels), subtype="float"
    )


def _named(node: str, problem: Problem) -> Problem:
    """The problem with the node in front; a file that exists is never replaced."""
    fix = "give another name, or remove it" if problem.code == "exists" else problem.fix
    return replace(problem, message=f"{node}: {problem.message}", fix=fix)
