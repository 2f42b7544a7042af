"""From what a page asks for to a session: voice, pipeline, quality, and the overrides they mean."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import InputError, Problem, StateError
from voicegraph.graph.files.voice_library import entries, find, item_of, require
from voicegraph.graph.loading.confinement import confinement
from voicegraph.graph.loading.library_values import voice_overrides
from voicegraph.graph.loading.sources import Source, read_chain
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.schemas.app import DEFAULT_QUALITY, Control, Quality, QualityId, StartSession
from voicegraph.schemas.session_note import SessionLaunch
from voicegraph.schemas.voice_library import LibraryItem

from .channel_strip import OPTIONAL, channel_strip_overrides
from .main_controls import main_controls
from .qualities import TITLES, is_live, qualities_of

BUNDLED_VOICE = "heart"
"""The voice that speaks if none is chosen."""
_PRESET_ENDING = ".yaml"
_MOST_PLANS = 64


@dataclass(frozen=True, slots=True)
class _Choice:
    """A pipeline that can be started.

    Attributes:
        path: what ``Pipeline.load`` takes.
        voice: its voice in the library; None: that of the preset.
    """

    name: str
    path: str
    profile: str | None
    voice: str | None
    overrides: dict[str, Any]


class SessionPlanner:
    """Plans sessions; compiles, so its methods may take seconds.

    Args:
        library: the folder of voices.
        presets: the folder of presets.
    """

    def __init__(self, library: Path, presets: Path) -> None:
        self._presets = presets
        self.readable: Sequence[Path] = (library, presets)
        self._plans: dict[Hashable, Plan] = {}

    def plan(self, request: StartSession) -> SessionLaunch:
        """The session that is asked for, compiled once, so that mistakes are known at once.

        Raises:
            VoicegraphError: if there is no such voice, pipeline or preset, something is missing,
                or the pipeline has mistakes.
        """
        choice = self._choose(request)
        loaded = self._load(choice)
        overrides = {**choice.overrides, **channel_strip_overrides(loaded.loaded.file)}
        overrides |= request.overrides
        plan = loaded.changed(overrides).compile()
        return SessionLaunch(
            request=request,
            pipeline=choice.name,
            path=choice.path,
            profile=choice.profile,
            voice=choice.voice,
            overrides=overrides,
            room_ms=_room_ms(plan),
        )

    def qualities(self, voice: str | None) -> list[Quality]:
        """The qualities of a voice's first live pipeline.

        Raises:
            InputError: if there is no such voice.
        """
        item = _item(voice)
        name = _live_pipelines(item)[0]
        found = []
        for quality in qualities_of(name):
            plan = self._talking_plan(item, name, quality)
            title, text = TITLES[quality]
            found.append(
                Quality(
                    id=quality,
                    title=title,
                    text=text,
                    pipeline=name,
                    profile=qualities_of(name)[quality].profile,
                    block_ms=1e3 * float(plan.block),
                    delay_ms=max(
                        _delay_ms(plan), _room_ms(plan) + 1e3 * float(plan.latency.buffering)
                    ),
                    default=quality == DEFAULT_QUALITY,
                )
            )
        return found

    def controls(self, voice: str | None, quality: QualityId = DEFAULT_QUALITY) -> list[Control]:
        """The main controls of a voice that is not started yet.

        Raises:
            InputError: if there is no such voice.
        """
        item = _item(voice)
        return main_controls(self._talking_plan(item, _live_pipelines(item)[0], quality))

    def _talking_plan(self, item: LibraryItem, name: str, quality: QualityId) -> Plan:
        """The plan with the nodes of the main controls; a page asks for it at every choice."""
        choice = _shipped(item, name, quality)
        stamp = Path(item.model).stat().st_mtime_ns
        key = (choice.path, choice.profile, repr(choice.overrides), stamp)
        if (known := self._plans.get(key)) is not None:
            return known
        loaded = self._load(choice)
        plan = loaded.changed(channel_strip_overrides(loaded.loaded.file)).compile()
        if len(self._plans) >= _MOST_PLANS:
            self._plans.pop(next(iter(self._plans)))
        self._plans[key] = plan
        return plan

    def _choose(self, request: StartSession) -> _Choice:
        if request.preset is not None:
            path = self.preset_path(request.preset)
            overrides: dict[str, Any] = {}
            if request.voice is not None:  # with its index and encoder, whatever the preset names
                document = read_chain(Source(path, path.name), confinement(self.readable))
                overrides = voice_overrides(document, _item(request.voice).name)
            return _Choice(request.preset, str(path), None, request.voice, overrides)
        item = _item(request.voice)
        names = _live_pipelines(item)
        name = request.pipeline or names[0]
        if name not in item.pipelines:
            text = f"the pipeline {name} cannot speak with {item.name}"
            raise InputError(Problem("wrong-pipeline", text, fix=f"one of: {', '.join(names)}"))
        return _shipped(item, name, request.quality)

    def preset_path(self, name: str) -> Path:
        """The file of a preset, compared with those that there are.

        Raises:
            InputError: if there is none of that name.
        """
        known = {path.stem: path for path in sorted(self._presets.glob(f"*{_PRESET_ENDING}"))}
        if name not in known:
            text = f"there is no preset {name!r}; presets: {', '.join(known) or 'none'}"
            raise InputError(Problem("no-such-preset", text))
        return known[name]

    def _load(self, choice: _Choice) -> Pipeline:
        profiles = () if choice.profile is None else (choice.profile,)
        return Pipeline.load(
            choice.path, choice.overrides, profiles=profiles, confined=self.readable
        )


def _shipped(item: LibraryItem, name: str, quality: QualityId) -> _Choice:
    settings = qualities_of(name).get(quality) or qualities_of(name)[DEFAULT_QUALITY]
    overrides = {"vars.voice": item.name, **settings.overrides}  # its card gives the rest
    return _Choice(name, name, settings.profile, item.name, overrides)


def _item(voice: str | None) -> LibraryItem:
    """A voice that is ready to speak.

    Raises:
        InputError: if there is none of that name, or something is missing.
    """
    library = entries()
    name = voice
    if name is None:
        bundled = [entry for entry in library.values() if entry.bundled and entry.card.is_voice]
        name = BUNDLED_VOICE if find(BUNDLED_VOICE) is not None else bundled[0].name
    item = item_of(require(name), library)
    if item.needs:
        raise InputError(
            Problem(p.code, p.message, None, tuple((n, None) for n in p.notes), p.fix)
            for p in item.needs
        )
    return item


def _live_pipelines(item: LibraryItem) -> list[str]:
    found = [name for name in item.pipelines if is_live(name)]
    if not found:
        text = f"{item.name} cannot speak live"
        raise StateError(Problem("not-live", text, fix="convert files with it"))
    return found


def _delay_ms(plan: Plan) -> float:
    return 1e3 * float(plan.latency.algorithmic + plan.latency.buffering)


def _room_ms(plan: Plan) -> float:
    """The latency with all optional nodes on, so that switching one on needs no new session."""
    origin = plan.origin
    assert isinstance(origin, Pipeline)
    off = [name for name in plan.bypassed if name in OPTIONAL]
    if not off:
        return 0.0
    full = origin.changed({f"nodes.{name}.enabled": True for name in off}).compile()
    return 1e3 * float(full.latency.algorithmic)
