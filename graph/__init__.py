"""The framework, and the one public module for node authors: ``from voicegraph.graph import Node``.

Third parties and our own nodes import the names of ``__all__``, each imported at its first use.
Callers use ``pipeline``, ``runtime`` and ``conformance``; ``files`` and ``live`` build on these.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voicegraph.schemas.quantities import Decibels as Decibels
    from voicegraph.schemas.quantities import Duration as Duration
    from voicegraph.schemas.quantities import Hertz as Hertz
    from voicegraph.schemas.quantities import Milliseconds as Milliseconds
    from voicegraph.schemas.quantities import Rate as Rate
    from voicegraph.schemas.quantities import Semitones as Semitones
    from voicegraph.schemas.quantities import format_duration as format_duration
    from voicegraph.schemas.quantities import format_rate as format_rate
    from voicegraph.schemas.quantities import parse_duration as parse_duration

    from . import random as random
    from .approximation import Approximation as Approximation
    from .errors import PipelineError as PipelineError
    from .errors import Problem as Problem
    from .errors import VoicegraphError as VoicegraphError
    from .errors import WeightsError as WeightsError
    from .errors import WrongValueError as WrongValueError
    from .intervals import Interval as Interval
    from .intervals import Request as Request
    from .network_export import ExportedFile as ExportedFile
    from .network_export import ExportedNetwork as ExportedNetwork
    from .network_export import ExportedTensor as ExportedTensor
    from .node import Node as Node
    from .node import Requests as Requests
    from .node import State as State
    from .node import Tensors as Tensors
    from .node_params import FilePath as FilePath
    from .node_params import Live as Live
    from .node_params import NodeParams as NodeParams
    from .node_params import NoParams as NoParams
    from .node_params import OutputPath as OutputPath
    from .optional_packages import missing_package as missing_package
    from .ports import In as In
    from .ports import Out as Out
    from .ports import Ports as Ports
    from .ports import PortSpec as PortSpec
    from .ports import Wanted as Wanted
    from .precision import PrecisionChoice as PrecisionChoice
    from .registry import register as register
    from .regular_file import open_regular as open_regular
    from .signals import NEVER_ESTIMATED as NEVER_ESTIMATED
    from .signals import Audio as Audio
    from .signals import Features as Features
    from .signals import Mask as Mask
    from .signals import Origin as Origin
    from .signals import Pitch as Pitch
    from .signals import SignalType as SignalType

_MODULES = {
    "voicegraph.schemas.quantities": (
        "Decibels",
        "Duration",
        "Hertz",
        "Milliseconds",
        "Rate",
        "Semitones",
        "format_duration",
        "format_rate",
        "parse_duration",
    ),
    "voicegraph.graph.approximation": ("Approximation",),
    "voicegraph.graph.errors": (
        "PipelineError",
        "Problem",
        "VoicegraphError",
        "WeightsError",
        "WrongValueError",
    ),
    "voicegraph.graph.intervals": ("Interval", "Request"),
    "voicegraph.graph.network_export": ("ExportedFile", "ExportedNetwork", "ExportedTensor"),
    "voicegraph.graph.node": (
        "Node",
        "Requests",
        "State",
        "Tensors",
    ),
    "voicegraph.graph.node_params": (
        "FilePath",
        "OutputPath",
        "Live",
        "NoParams",
        "NodeParams",
    ),
    "voicegraph.graph.optional_packages": ("missing_package",),
    "voicegraph.graph.ports": ("In", "Out", "PortSpec", "Ports", "Wanted"),
    "voicegraph.graph.precision": ("PrecisionChoice",),
    "voicegraph.graph.registry": ("register",),
    "voicegraph.graph.regular_file": ("open_regular",),
    "voicegraph.graph.signals": (
        "NEVER_ESTIMATED",
        "Audio",
        "Features",
        "Mask",
        "Origin",
        "Pitch",
        "SignalType",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = ["random", *_MODULE_OF]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module 'voicegraph.graph' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
