"""Keys of tasks: SHA-256 of everything that a result depends on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from voicegraph.graph.pipeline import Plan

from .. import conditions, observers
from ..clip import Clip
from ..metric import Params
from ..work.code_identity import code_of, digest, engine_code, package_versions, uses_seed
from ..work.files import FileHash, hashed, renamed
from ..work.input_work import AppliedCondition
from ..work.match import Match

_INPUT = ("voicegraph.experiments.work.input_work", "voicegraph.graph.files.sound.reader")
_MATCH = ("voicegraph.experiments.work.match",)
_COMMAND = ("voicegraph.experiments.work.command_work",)
_COST = (
    "voicegraph.experiments.work.cost_work",
    "voicegraph.graph.metrics.cost_in_turns",
    "voicegraph.graph.metrics.mean_interval",
    "voicegraph.graph.metrics.shift_interval",
)


@dataclass(slots=True)
class Keys:
    """Makes keys.

    Attributes:
        threads: numeric threads of conversions.
        machine: kind of machine, if results of others do not count; else empty.
        packages: versions of the distributions that keys made so far hold.
    """

    threads: int
    machine: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    _code: dict[tuple[type, ...], tuple[dict[str, str], bool, str]] = field(default_factory=dict)
    _digests: dict[object, str] = field(default_factory=dict)

    def plan(self, plan: Plan, precisions: Mapping[str, str]) -> str:
        """Key of a plan: its hash, the code of its nodes and of the engine, and how it computes."""
        code = self._facts(plan)[2]
        return self._key("plan", plan.hash, code, sorted(precisions.items()), self.threads)

    def code(self, plan: Plan) -> dict[str, str]:
        """The code that decides a plan's numbers: digests by module, versions by package."""
        return self._facts(plan)[0]

    def uses_seed(self, plan: Plan) -> bool:
        """Whether a plan's numbers may depend on the seed."""
        return self._facts(plan)[1]

    def _facts(self, plan: Plan) -> tuple[dict[str, str], bool, str]:
        """Its code, whether it uses a seed, and a digest of the code."""
        classes = tuple(dict.fromkeys(type(planned.node) for planned in plan.nodes))
        if classes not in self._code:
            code = self._noted({**engine_code(), **code_of(classes)})
            self._code[classes] = code, uses_seed(classes), digest(sorted(code.items()))
        return self._code[classes]

    def precisions(self, plan: Plan, machine: str) -> str:
        """Key of what ``dtype: auto`` means for a plan on a kind of machine."""
        return digest(("precision", plan.hash, self._facts(plan)[2], self.threads, machine))

    def source(self, clip: Clip, applied: Iterable[AppliedCondition], seed: int) -> str:
        """Key of a clip under conditions."""
        under = [self._condition(each) for each in applied]
        drawn = (clip.name, seed) if under else ()
        part = (clip.sha256, clip.start_s, clip.seconds)
        return self._key("input", part, under, drawn, self._modules(_INPUT))

    def conversion(
        self, plan: str, given: str, taps: Iterable[str], seed: int | None, match: object
    ) -> str:
        """Key of a conversion.

        Args:
            plan: key of the plan.
            given: key of the sound.
            taps: ports that are recorded.
            seed: if the plan uses one and it is not its own.
            match: what is set for the clip, with the keys of the sounds that it is measured on.
        """
        code = self._modules(_MATCH) if match else ""
        return self._key("convert", plan, given, sorted(taps), seed, match, code)

    def command(
        self, words: Iterable[str], version: str, contents: Iterable[FileHash], *more: object
    ) -> str:
        """Key of a conversion by a program: its words and version, and contents of files."""
        hashes = sorted(sha256 for _, sha256 in contents)
        return self._key("command", [*words], version, hashes, self._modules(_COMMAND), *more)

    def observation(self, observer: str, sound: str) -> str:
        """Key of what an observer says about a sound."""
        if observer not in self._digests:
            self._digests[observer] = digest(self._of_observer(observer))
        return self._key("observe", self._digests[observer], sound)

    def cost(self, plans: tuple[str, str], blocks: int, machine: str) -> str:
        """Key of the costs of a plan in turns with another one."""
        return digest(("cost", plans, blocks, machine, self._modules(_COST)))

    def _condition(self, applied: AppliedCondition) -> str:
        if applied not in self._digests:
            self._digests[applied] = digest(self._of_condition(applied))
        return self._digests[applied]

    def _of_condition(self, applied: AppliedCondition) -> object:
        cls = conditions.find(applied.name)
        params = _by_content(applied.params, applied.contents)
        return applied.name, cls.version, params, self._noted(code_of([cls]))

    def _of_observer(self, text: str) -> object:
        cls, params = observers.parse(text)
        content = _by_content(params.model_dump_json(), hashed(params.read_files()))
        return cls.name, cls.version, content, self._noted(code_of([cls]))

    def _noted(self, code: dict[str, str]) -> dict[str, str]:
        """The same, with its packages noted."""
        self.packages |= package_versions(code)
        return code

    def _modules(self, names: tuple[str, ...]) -> str:
        if names not in self._digests:
            self._digests[names] = digest(self._noted(code_of((), names)))
        return self._digests[names]

    def _key(self, *parts: object) -> str:
        return digest((*parts, self.machine))


def matched(match: Match | None, measured: Iterable[str]) -> object:
    """A match as part of a key."""
    if match is None:
        return None
    facts = (match.source_hz, match.source_sex, match.target_hz, match.target_sex)
    return (match.rules, facts, [*measured])


def apply_condition(name: str, params: Params) -> AppliedCondition:
    """A condition as a task holds it, with the contents of its files."""
    return AppliedCondition(name, params.model_dump_json(), hashed(params.read_files()))


def observer_files(text: str) -> tuple[FileHash, ...]:
    """The files that an observer's params name, with their contents."""
    _, params = observers.parse(text)
    return hashed(params.read_files())


def _by_content(params: str, contents: Iterable[FileHash]) -> str:
    """Params as JSON, with the hashes of files in place of their names."""
    return json.dumps(renamed(json.loads(params), dict(contents)), sort_keys=True)
