"""The tasks of an experiment, each key once."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voicegraph.graph.errors import Problem
from voicegraph.graph.regular_file import shortened

from ..clip import Clip
from ..file.factor_levels import Command
from ..task import Kind, Task
from ..work.command_work import TARGET, CommandWork
from ..work.convert_work import ConvertWork
from ..work.cost_work import CostSystem, CostWork
from ..work.files import FileHash, hashed, travelling
from ..work.input_work import AppliedCondition, InputWork
from ..work.match import Match
from ..work.observe_work import ObserveWork
from ..work.pipeline_data import PipelineData
from ._estimates import Guess
from ._keys import Keys, matched, observer_files


@dataclass(frozen=True, slots=True)
class System:
    """A pipeline as tasks hold it.

    Attributes:
        key: of its plan.
        data: the pipeline.
        precisions: of nodes with ``dtype: auto``.
        seeded: whether its numbers may depend on the seed.
        taps: ports of it that metrics want.
    """

    key: str
    data: PipelineData
    precisions: tuple[tuple[str, str], ...]
    seeded: bool
    taps: tuple[str, ...] = ()


@dataclass(slots=True)
class TaskBook:
    """Makes tasks.

    Attributes:
        keys: makes their keys.
        guess: how long they take.
        nodes_files: files of nodes and plug-ins, with their SHA-256.
        tasks: by key, in the order in which they were asked for.
        observed: (key of a sound, observer) -> key of the observation.
    """

    keys: Keys
    guess: Guess
    nodes_files: tuple[tuple[str, str], ...] = ()
    tasks: dict[str, Task] = field(default_factory=dict)
    observed: dict[tuple[str, str], str] = field(default_factory=dict)

    def source(self, clip: Clip, applied: Sequence[AppliedCondition] = (), seed: int = 0) -> str:
        """Key of a clip under conditions."""
        key = self.keys.source(clip, applied, seed)
        if key not in self.tasks:
            file = (travelling(clip.path), clip.sha256)
            under = tuple(applied)
            work = InputWork(file, clip.name, clip.start_s, clip.seconds, under, seed)
            label = ", ".join([clip.name, *(each.name for each in under)])
            seconds = self.guess.source(clip, len(under))
            self._add(Task(key, Kind.INPUT, work, label=label, expected_s=seconds))
        return key

    def conversion(
        self,
        system: System,
        name: str,
        clip: Clip,
        sounds: tuple[str, str],
        seed: int,
        match: Match | None,
        targets: Sequence[str],
    ) -> str:
        """Key of a conversion.

        Args:
            system: what converts.
            name: of the cell, for people.
            clip: the clip.
            sounds: keys of the clean clip and of what the system gets.
            seed: of the experiment; 0 leaves that of the pipeline.
            match: what is set for the clip.
            targets: keys of the target's speech.
        """
        source, given = sounds
        own = seed if seed and system.seeded else None
        measured = [source] if match is not None and match.measures_source else []
        heard = [*targets] if match is not None and match.measures_target else []
        facts = matched(match, (*measured, *heard))
        key = self.keys.conversion(system.key, given, system.taps, own, facts)
        if key not in self.tasks:
            work = ConvertWork(
                system.data,
                given,
                taps=system.taps,
                threads=self.keys.threads,
                precisions=system.precisions,
                seed=own,
                match=match,
                source=measured[0] if measured else None,
                targets=tuple(heard),
            )
            needs = tuple(dict.fromkeys((given, *measured, *heard)))
            seconds = self.guess.conversion(system.key, clip)
            self._add(
                Task(key, Kind.CONVERT, work, needs, system.key, f"{name}: {clip.name}", seconds)
            )
        return key

    def command(
        self,
        command: Command,
        folder: Path,
        name: str,
        clip: Clip,
        given: str,
        seed: int,
        target: Clip | None,
        deadline_s: float | None,
    ) -> str:
        """Key of a conversion by a program."""
        text = " ".join(command.argv)
        contents = hashed((*_files_among(command.argv, folder), *command.files))
        speech: FileHash | None = None
        if TARGET in text and target is not None:
            speech = (travelling(target.path), target.sha256)
        used = seed if "{seed}" in text else 0
        rate = None if command.rate is None else int(command.rate)
        told = (given, rate, speech and speech[1], used)
        key = self.keys.command(command.argv, command.version, contents, *told)
        if key not in self.tasks:
            work = CommandWork(
                command.argv,
                given,
                rate=rate,
                contents=contents,
                target=speech,
                seed=used,
                folder=str(folder),
                deadline_s=deadline_s,
            )
            group = self.keys.command(command.argv, command.version, contents)
            seconds = self.guess.conversion(group, clip)
            label = f"{name}: {clip.name}"
            self._add(Task(key, Kind.CONVERT, work, (given,), group, label, seconds))
        return key

    def observe(self, sound: str, observers: Iterable[str], clip: Clip) -> None:
        """Makes observers hear a sound."""
        for observer in observers:
            if (sound, observer) in self.observed:
                continue
            key = self.keys.observation(observer, sound)
            self.observed[sound, observer] = key
            if key not in self.tasks:
                work = ObserveWork(observer, sound, observer_files(observer))
                label = f"{observer}: {self.tasks[sound].label}"
                seconds = self.guess.observation(observer, clip)
                self._add(Task(key, Kind.OBSERVE, work, (sound,), observer, label, seconds))

    def cost(
        self, system: System, against: System | None, blocks: int, quiet: bool, machine: str
    ) -> str:
        """Key of the costs of a system, in turns with another one."""
        pair = (system.key, "" if against is None else against.key)
        key = self.keys.cost(pair, blocks, machine)
        if key not in self.tasks:
            threads = self.keys.threads
            sides = [
                CostSystem(each.data, each.precisions, threads)
                for each in (system, against)
                if each is not None
            ]
            work = CostWork(sides[0], sides[1] if len(sides) > 1 else None, blocks)
            seconds = self.guess.cost(len(sides), blocks)
            label = f"cost of {system.data.name}"
            self._add(Task(key, Kind.COST, work, (), system.key, label, seconds, quiet))
        return key

    def _add(self, task: Task) -> None:
        self.tasks[task.key] = Task(
            task.key, task.kind, task.work, task.needs, task.group, task.label, task.expected_s,
            task.alone, self.nodes_files,
        )  # fmt: skip

    def ordered(self) -> list[Task]:
        """All tasks, those first whose results others need."""
        order = {kind: place for place, kind in enumerate(Kind)}
        return sorted(self.tasks.values(), key=lambda task: order[task.kind])


def _files_among(words: Iterable[str], folder: Path) -> list[Path]:
    """The files that a command line names, such as ``my_vc.py`` after ``python``."""
    found = [folder / word for word in words if "{" not in word]
    return [path for path in found if path.is_file()]


def absent_of_command(command: Command) -> Iterator[Problem]:
    """Problems of a program that is not installed, and of files that it needs and that are gone."""
    program = command.argv[0]
    if shutil.which(program) is None:
        text = f"there is no program {program}"
        yield Problem("no-such-file", text, fix="install it, or give its path")
    for path in command.files:
        if not path.exists():
            text = f"{shortened(path)} is missing, which the program {program} needs"
            yield Problem("no-such-file", text, fix="correct `files`")


def python_files(paths: Iterable[Path]) -> tuple[tuple[str, str], ...]:
    """Python files with their SHA-256, in the order in which they are loaded."""
    return tuple((str(path), hashed([path])[0][1]) for path in paths)


def by_cell(names: Mapping[str, str]) -> str:
    """Levels as text: ``tracker=dio, noise=clean``."""
    return ", ".join(f"{factor}={level}" for factor, level in names.items())
