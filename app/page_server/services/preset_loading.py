"""Loads a preset into what runs: by a hot swap if it is the same pipeline, else by a new start."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.loading.sources import locate, read_chain
from voicegraph.schemas.app import SessionState, StartSession
from voicegraph.schemas.control import RunningPipeline
from voicegraph.schemas.live_command import SetParam, Swap
from voicegraph.schemas.session_note import SessionLaunch

from ._preset_text import base_of, changes_of, flat
from .live_sessions import LiveSessions
from .planner import Planner
from .presets import Presets


async def load_preset(
    name: str, presets: Presets, planner: Planner, sessions: LiveSessions
) -> SessionState:
    """Lets the session speak as a preset says; starts one if none runs.

    Raises:
        NotFoundError: if there is no such preset.
        VoicegraphError: if it has mistakes, or needs a voice that is not there.
    """
    path = await asyncio.to_thread(presets.path, name)
    before = sessions.launch
    asked = StartSession() if before is None else before.request
    request = asked.model_copy(
        update={"preset": name, "voice": None, "pipeline": None, "overrides": {}}
    )
    launch = await planner.plan(request)
    state = await sessions.state()
    if state.state == "running":
        running = await sessions.pipeline()
        changes = await asyncio.to_thread(changes_to, running, path, launch)
        if changes and await _is_swapped(sessions, changes):
            return sessions.changed_to(launch)
    planner.give_way()
    return await sessions.start(launch)


async def _is_swapped(sessions: LiveSessions, changes: Mapping[str, Any]) -> bool:
    """Whether the session plays the changed pipeline, with the live params that it plans."""
    with suppress(VoicegraphError):
        answer = await sessions.run(Swap(overrides=dict(changes)))
        if not answer.ok:
            return False
        running = await sessions.pipeline()
        planned = {node.name: node.params for node in running.plan.nodes}
        for param, value in (await sessions.live_values()).items():
            node, _, key = param.partition(".")
            wanted = planned.get(node, {}).get(key, value)
            if wanted != value:
                await sessions.run(SetParam(param=param, value=wanted))
        return True
    return False


def changes_to(
    running: RunningPipeline, preset: Path, launch: SessionLaunch
) -> dict[str, Any] | None:
    """Overrides that turn what runs into a preset; None if only a new start does.

    What was changed before, and is not in the preset, gets the value of the bundled pipeline.

    Args:
        running: what runs.
        preset: the preset's file.
        launch: how a session would be started with it.
    """
    wanted_base, own = base_of(str(preset))
    now_base, now_own = base_of(running.path)
    if wanted_base is None or wanted_base != now_base or running.profiles:
        return None
    bundled = dict(flat("", read_chain(locate(wanted_base)).data))
    wanted = {**changes_of(own), **_flattened(launch.overrides)}
    now = {**changes_of(now_own), **_flattened(running.overrides)}
    found = dict(wanted)
    for path in now.keys() - wanted.keys():
        if path not in bundled:
            return None
        found[path] = bundled[path]
    return found


def _flattened(overrides: Mapping[str, Any]) -> dict[str, Any]:
    return {path: value for key, entry in overrides.items() for path, value in flat(key, entry)}
