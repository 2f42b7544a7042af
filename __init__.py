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
    from voicegraph.graph import Audio as Audio
    from voicegraph.graph import Decibels as Decibels
    from voicegraph.graph import Duration as Duration
    from voicegraph.graph import Features as Features
    from voicegraph.graph import FilePath as FilePath
    from voicegraph.graph import Hertz as Hertz
    from voicegraph.graph import In as In
    from voicegraph.graph import Interval as Interval
    from voicegraph.graph import Live as Live
    from voicegraph.graph import Mask as Mask
    from voicegraph.graph import Node as Node
    from voicegraph.graph import NodeParams as NodeParams
    from voicegraph.graph import Out as Out
    from voicegraph.graph import PipelineError as PipelineError
    from voicegraph.graph import Pitch as Pitch
    from voicegraph.graph import Ports as Ports
    from voicegraph.graph import Problem as Problem
    from voicegraph.graph import Rate as Rate
    from voicegraph.graph import Request as Request
    from voicegraph.graph import Requests as Requests
    from voicegraph.graph import Semitones as Semitones
    from voicegraph.graph import State as State
    from voicegraph.graph import Tensors as Tensors
    from voicegraph.graph import VoicegraphError as VoicegraphError
    from voicegraph.graph import conformance as conformance
    from voicegraph.graph import register as register
    from voicegraph.graph.comparison import compare as compare
    from voicegraph.graph.files.recordings.replay import replay as replay
    from voicegraph.graph.pipeline import Pipeline as Pipeline
    from voicegraph.graph.pipeline import Plan as Plan
    from voicegraph.graph.pipeline import node as node
    from voicegraph.graph.runtime.session import Session as Session
    from voicegraph.graph.runtime.snapshot import Snapshot as Snapshot

moved_modules.install()
provide(
    {
        "comparison_text": "voicegraph.app.reports.comparison_text:comparison_text",
        "run_difference_text": "voicegraph.app.reports.run_difference_text:run_difference_text",
        "explain": "voicegraph.app.reports.explain:explain",
        "explain_setup": "voicegraph.app.reports.setup_lines:explain_setup",
        "draw": "voicegraph.app.reports.drawing:draw",
        "atomic_write": "voicegraph.graph.files.atomic_write:atomic_write",
        "audio_writer": "voicegraph.graph.files.sound.writer:AudioWriter",
        "experiment_report": "voicegraph.experiments.report.write_report:write_report",
        "recorder": "voicegraph.graph.files.recordings.recorder:Recorder",
    }
)

_HOMES = {
    "graph": (  # which knows the module of each
        "Audio",
        "Decibels",
        "Duration",
        "Features",
        "FilePath",
        "Hertz",
        "In",
        "Interval",
        "Live",
        "Mask",
        "Node",
        "NodeParams",
        "Out",
        "PipelineError",
        "Pitch",
        "Ports",
        "Problem",
        "Rate",
        "Request",
        "Requests",
        "Semitones",
        "State",
        "Tensors",
        "VoicegraphError",
        "register",
    ),
    "graph.pipeline": ("Pipeline", "Plan", "node"),
    "graph.comparison": ("compare",),
    "graph.files.recordings.replay": ("replay",),
    "graph.runtime.session": ("Session",),
    "graph.runtime.snapshot": ("Snapshot",),
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
