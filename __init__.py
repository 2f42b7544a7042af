"""voicegraph: real-time voice conversion as a graph of nodes, wired in YAML.

The names below are the public interface; everything else may move between releases. They are
imported when first used, so that ``voicegraph --help`` need not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from voicegraph.graph import moved_modules
from voicegraph.graph.providers import provide

if TYPE_CHECKING:
    from voicegraph.graph import conformance as conformance
    from voicegraph.graph.errors import PipelineError as PipelineError
    from voicegraph.graph.errors import Problem as Problem
    from voicegraph.graph.errors import VoicegraphError as VoicegraphError
    from voicegraph.graph.files.recordings.replay import replay as replay
    from voicegraph.graph.intervals import Interval as Interval
    from voicegraph.graph.intervals import Request as Request
    from voicegraph.graph.node import FilePath as FilePath
    from voicegraph.graph.node import Live as Live
    from voicegraph.graph.node import Node as Node
    from voicegraph.graph.node import NodeParams as NodeParams
    from voicegraph.graph.node import Requests as Requests
    from voicegraph.graph.node import State as State
    from voicegraph.graph.node import Tensors as Tensors
    from voicegraph.graph.pipeline import Pipeline as Pipeline
    from voicegraph.graph.pipeline import Plan as Plan
    from voicegraph.graph.pipeline import node as node
    from voicegraph.graph.ports import In as In
    from voicegraph.graph.ports import Out as Out
    from voicegraph.graph.ports import Ports as Ports
    from voicegraph.graph.registry import register as register
    from voicegraph.graph.runtime.session import Session as Session
    from voicegraph.graph.runtime.snapshot import Snapshot as Snapshot
    from voicegraph.graph.signals import Audio as Audio
    from voicegraph.graph.signals import Features as Features
    from voicegraph.graph.signals import Mask as Mask
    from voicegraph.graph.signals import Pitch as Pitch
    from voicegraph.schemas.quantities import Decibels as Decibels
    from voicegraph.schemas.quantities import Duration as Duration
    from voicegraph.schemas.quantities import Hertz as Hertz
    from voicegraph.schemas.quantities import Rate as Rate
    from voicegraph.schemas.quantities import Semitones as Semitones

moved_modules.install()
provide(
    {
        "explain": "voicegraph.app.reports.explain:explain",
        "draw": "voicegraph.app.reports.drawing:draw",
        "atomic_write": "voicegraph.graph.files.atomic_write:atomic_write",
        "audio_writer": "voicegraph.graph.files.sound.writer:AudioWriter",
        "recorder": "voicegraph.graph.files.recordings.recorder:Recorder",
    }
)

_HOMES = {
    "graph.errors": ("PipelineError", "Problem", "VoicegraphError"),
    "graph.intervals": ("Interval", "Request"),
    "graph.node": ("FilePath", "Live", "Node", "NodeParams", "Requests", "State", "Tensors"),
    "graph.pipeline": ("Pipeline", "Plan", "node"),
    "graph.ports": ("In", "Out", "Ports"),
    "graph.files.recordings.replay": ("replay",),
    "graph.registry": ("register",),
    "graph.runtime.session": ("Session",),
    "graph.signals": ("Audio", "Features", "Mask", "Pitch"),
    "graph.runtime.snapshot": ("Snapshot",),
    "schemas.quantities": ("Decibels", "Duration", "Hertz", "Rate", "Semitones"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["conformance", *_HOME]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name == "conformance":
        return import_module("voicegraph.graph.conformance")
    if name in _HOME:
        return getattr(import_module(f"voicegraph.{_HOME[name]}"), name)
    raise AttributeError(f"module 'voicegraph' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
