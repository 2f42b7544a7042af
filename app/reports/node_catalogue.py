"""Descriptions of registered nodes, for lists, help and editors; no node is run."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from voicegraph.graph import registry
from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.node import Node
from voicegraph.graph.ports import In, Out, Ports
from voicegraph.schemas.report import NodeInfo, PortInfo

from ._param_descriptions import describe_params


@dataclass(frozen=True, slots=True)
class NodeSummary:
    """One line of a list of nodes; ``error`` says why a node cannot be loaded."""

    name: str
    interface: str | None = None
    summary: str = ""
    error: str | None = None


def summarize_node(name: str) -> NodeSummary:
    """A node by its registered name, in one line.

    Raises:
        KeyError: if nobody registered it.
    """
    cls = _find(name)
    if isinstance(cls, str):
        return NodeSummary(name, error=cls)
    return NodeSummary(name, cls.interface, _summary(inspect.getdoc(cls) or ""))


def describe_node(name: str) -> NodeInfo:
    """All about a node by its registered name; ``error`` says why one cannot be loaded.

    Raises:
        KeyError: if nobody registered it.
    """
    cls = _find(name)
    return _broken(name, cls) if isinstance(cls, str) else describe_class(name, cls)


def _find(name: str) -> type[Node] | str:
    """The class, or why it cannot be loaded: a broken add-on must not hide the other nodes."""
    try:
        return registry.find(name)
    except KeyError:
        if name in registry.names():
            raise RuntimeError(f"{name} is listed, but its module does not register it") from None
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _summary(doc: str) -> str:
    return doc.partition("\n\n")[0].replace("\n", " ")


def _broken(name: str, error: str) -> NodeInfo:
    return NodeInfo(
        name=name, summary="cannot be loaded", doc="", interface=None, inputs=[], outputs=[],
        params=[], devices=[], dtypes=[], chunking="", pure=False, error=error,
    )  # fmt: skip


def describe_class(name: str, cls: type[Node]) -> NodeInfo:
    """A node class."""
    doc = inspect.getdoc(cls) or ""
    ports = _ports(cls)
    return NodeInfo(
        name=name,
        summary=_summary(doc),
        doc=doc,
        interface=cls.interface,
        inputs=[_input(port, entry) for port, entry in ports.inputs.items()],
        outputs=[_output(cls, port, entry) for port, entry in ports.outputs.items()],
        params=describe_params(cls.Params),
        devices=list(cls.devices),
        dtypes=list(cls.dtypes),
        chunking=cls.chunking,
        pure=cls.pure,
        error=None,
    )


def _ports(cls: type[Node]) -> Ports:
    """The ports of a typical instance; those of the class if none can be made."""
    for example in ({}, *cls.examples):
        try:
            return cls().ports(cls.Params.model_validate(dict(example)))
        except (ValidationError, VoicegraphError):
            continue
    return cls.declared


def _input(name: str, port: In) -> PortInfo:
    width = port.channels if port.channels is not None else port.dim
    other = f"as {port.like}" if port.like else "any"
    return PortInfo(
        name=name,
        kind=_kind(port),
        rate=f"{port.rate} Hz" if port.rate is not None else other,
        width=None if port.kind.width_name is None else other if width is None else str(width),
        optional=port.optional,
        window=port.window,
        doc=port.doc,
    )


def _output(cls: type[Node], name: str, port: Out) -> PortInfo:
    declared = cls.declared.outputs.get(name, port)
    width = declared.channels if declared.channels is not None else declared.dim
    rate = f"{declared.rate} Hz" if declared.rate is not None else _inferred(cls, declared, "rate")
    shown = str(width) if width is not None else _inferred(cls, declared, port.kind.width_name)
    return PortInfo(
        name=name,
        kind=_kind(port),
        rate=rate,
        width=None if port.kind.width_name is None else shown,
        optional=False,
        window=port.window,
        doc=port.doc,
    )


def _inferred(cls: type[Node], declared: Out, what: str | None) -> str:
    """The origin of a rate or width that the port does not fix."""
    own = cls.infer is not Node.infer or cls.ports is not Node.ports
    if own and what in cls.Params.model_fields:
        return "from params"
    return f"as {declared.like}" if declared.like else "worked out"


def _kind(port: In | Out) -> Any:
    return port.kind.kind
