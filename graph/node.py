"""The node base: ports, params, interval arithmetic, state, process.

A node class is a contract between three readers: the compiler asks it for ports and needs, the
session keeps its state, and pipeline files fill its params.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast, get_args

import torch
from pydantic import BaseModel, ConfigDict, WithJsonSchema

from .intervals import Interval, Request
from .ports import In, Out, Ports, PortSpec
from .signals import SignalType

T = TypeVar("T")
Requests = Mapping[str, Request]
Tensors = Mapping[str, torch.Tensor]


class _LiveMark:
    """Marks a param that may change between ticks."""


class _FileMark:
    """Marks a param that names a file, so that it resolves against the file it is written in."""


ACCELERATORS = ("cuda", "mps", "xpu")
"""Device types of accelerators as torch names them: NVIDIA and AMD, Apple, Intel."""

Live = Annotated[T, _LiveMark()]
"""``gain: Live[float]``: the param may change between ticks, through ``Session.set``."""

FilePath = Annotated[Path, _FileMark(), WithJsonSchema({"type": "string", "format": "path"})]
"""A file named by a param. Relative names resolve against the pipeline file they stand in."""


class NodeParams(BaseModel):
    """Base of every node's ``Params``: frozen, unknown keys refused, defaults validated."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True
    )

    def check_change(self, new: Any) -> None:
        """Whether a running node may go from these params to ``new``; by default it may.

        Both are valid by themselves, and differ in live params alone.

        Raises:
            ValueError: if it may not; the text goes to the user.
        """

    @classmethod
    def live_fields(cls) -> frozenset[str]:
        """Names of the params that may change between ticks."""
        return _marked(cls, _LiveMark)

    @classmethod
    def file_fields(cls) -> frozenset[str]:
        """Names of the params that hold file names."""
        return _marked(cls, _FileMark)


def _marked(model: type[BaseModel], mark: type) -> frozenset[str]:
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if any(isinstance(entry, mark) for entry in field.metadata)
        or _mentions(field.annotation, mark)
    )


def _mentions(annotation: Any, mark: type) -> bool:
    """Looks inside ``FilePath | None``, where pydantic leaves the mark on the member."""
    if any(isinstance(entry, mark) for entry in getattr(annotation, "__metadata__", ())):
        return True
    return any(_mentions(member, mark) for member in getattr(annotation, "__args__", ()))


class State:
    """Base of node states: subclass as a dataclass of tensors.

    Every tensor has a fixed shape and dtype and axis 0 = streams; counters are int64. It is owned
    by the session and changed in place. Everything a stream remembers is in it: that is what makes
    reset, snapshot, replay and several streams on one set of weights possible.
    """

    def tensors(self) -> dict[str, torch.Tensor]:
        """The tensors by field name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # pyright: ignore[reportArgumentType]

    def narrow(self, stream: int) -> State:
        """A view of one stream; what is changed in it is changed here."""
        return type(self)(**{k: v[stream : stream + 1] for k, v in self.tensors().items()})


class NoParams(NodeParams):
    """No params."""


ParamsT = TypeVar("ParamsT", bound=NodeParams)
StateT = TypeVar("StateT", bound=State | None)


class Node(Generic[ParamsT, StateT]):
    """Base of all nodes: ``class Gain(Node[GainParams, GainState])``, or ``None`` without state.

    Class attributes a node declares:

    * ``Params``: its params model, by default the first type in the brackets. Ports are class
      attributes, each an :class:`In` or :class:`Out`.
    * ``chunking``: ``"exact"`` if the output is the same in blocks of any size, or ``"windowed"``.
    * ``pure``: the output is a function of the input span alone; the node has no state. It may
      then run on streams and on windows alike, and gives a window where it takes one.
    * ``devices``: where it can run: ``"cpu"``, and ``"cuda"`` for every accelerator that torch
      names (``cuda`` on NVIDIA and AMD, ``mps`` on Apple, ``xpu`` on Intel).
    * ``dtypes``: the precisions in which it can compute.
    * ``needs_float64``: its state or its computation on the device uses float64. Apple's ``mps``
      has no float64, so the compiler refuses the node there.
    * ``releases_gil``: its work runs outside the interpreter lock, so that a worker may pay.
    * ``interface``: the named port contract it fulfils, if any.
    * ``asset``: the pipeline's asset that is its file of weights where none is given; by default
      the one called as the last part of ``use``.
    * ``examples``: params for the conformance suite, where the defaults do not suffice; files that
      they name are made by :meth:`write_examples`.

    Attributes the compiler sets, in this order: ``name``, ``seed``, ``block`` (seconds);
    ``declared`` (what :meth:`ports` gave); ``input_types`` and ``output_types``; ``given`` (the
    span each input is given at each tick) and ``asked`` (the span each output is asked for). After
    ``load`` the instance never changes.
    """

    Params: ClassVar[type[NodeParams]] = NoParams

    use: ClassVar[str] = ""
    chunking: ClassVar[str] = "exact"
    pure: ClassVar[bool] = False
    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    dtypes: ClassVar[tuple[str, ...]] = ("float32",)
    needs_float64: ClassVar[bool] = False
    releases_gil: ClassVar[bool] = False
    interface: ClassVar[str | None] = None
    asset: ClassVar[str] = ""
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)
    declared: Ports = Ports()

    name: str = ""
    seed: int = 0
    block: Fraction = Fraction(1, 100)
    device: torch.device = torch.device("cpu")
    dtype: torch.dtype = torch.float32

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "Params" not in vars(cls) and (params := _params_type(cls)) is not None:
            cls.Params = params
        members = {k: v for base in reversed(cls.__mro__) for k, v in vars(base).items()}
        cls.declared = Ports(
            {k: v for k, v in members.items() if isinstance(v, In)},
            {k: v for k, v in members.items() if isinstance(v, Out)},
        )

    def __init__(self) -> None:
        self.input_types: dict[str, SignalType] = {}
        self.output_types: dict[str, SignalType] = {}
        self.given: dict[str, PortSpec] = {}
        self.asked: dict[str, PortSpec] = {}

    # ---- compile time -----------------------------------------------------------------------

    @classmethod
    def runs_on(cls, device: str) -> bool:
        """Whether ``devices`` includes a device such as ``cpu``, ``cuda:1`` or ``mps``."""
        kind = device.partition(":")[0]
        return kind in cls.devices or (kind in ACCELERATORS and "cuda" in cls.devices)

    @classmethod
    def asset_name(cls) -> str:
        """Under which name the pipeline's ``assets`` hold its weights."""
        return cls.asset or cls.use.rpartition(".")[2]

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """Writes the files that ``examples`` name, small ones, for the conformance suite.

        File names in ``examples`` are relative to ``folder``.
        """

    def ports(self, params: ParamsT) -> Ports:
        """The ports; override where they depend on params or on a file's header.

        Raises:
            VoicegraphError: if a file that decides the ports cannot be read.
        """
        return self.declared

    def infer(self, params: ParamsT, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        """Output types from input types; the default follows ``like``, ``rate`` and width.

        Raises:
            ValueError: if the inputs do not fit together; the text goes to the user.
        """
        return {name: _inherit(port, inputs) for name, port in self.declared.outputs.items()}

    def widened(self, params: ParamsT, width: int) -> Mapping[str, Any]:
        """Params that would make the outputs so wide, for messages; empty where none would."""
        return {}

    def needs(self, params: ParamsT, out: Request) -> Requests:
        """The span needed of each input to make ``out``; the default asks for the same span.

        ``out`` covers what is asked of all outputs. For a stream it is one block.
        """
        return dict.fromkeys(self.input_types, out)

    def gives(self, params: ParamsT, out: Request) -> Interval:
        """The span a window output really covers: at least ``out.core``, by default all asked."""
        return out.interval

    # ---- run time ---------------------------------------------------------------------------

    def load(self, params: ParamsT, device: torch.device, dtype: torch.dtype) -> None:
        """Brings weights and tables to ``device``. Called once; nothing changes afterwards.

        Raises:
            VoicegraphError: if a file is not what it should be.
        """

    def state(self, params: ParamsT, streams: int) -> StateT:
        """A fresh state for ``streams`` streams on ``self.device``, or None."""
        return cast("StateT", None)

    def keeps(self, params: ParamsT) -> Mapping[str, Path]:
        """Audio outputs that the session writes to sound files as they pass, by port name.

        Asked once a session, after the warm-up. The node itself never touches a file, so its
        instance stays as it is and may serve several sessions.
        """
        return {}

    def process(self, inputs: Tensors, params: ParamsT, state: StateT) -> Tensors:
        """One tick: input tensors to output tensors by port name.

        Inputs must not be modified; ``state`` is changed in place.
        """
        raise TypeError(f"{type(self).__name__} does not define process()")


def _params_type(cls: type[Any]) -> type[NodeParams] | None:
    """The params model among the type arguments of a class's bases, if there is one."""
    for base in vars(cls).get("__orig_bases__", ()):
        for found in get_args(base):
            if isinstance(found, type) and issubclass(found, NodeParams):
                return found
    return None


def _inherit(port: Out, inputs: Mapping[str, SignalType]) -> SignalType:
    source = inputs.get(port.like) if port.like else None
    if port.like and source is None:
        raise ValueError(f"its output takes the rate of its input `{port.like}`: connect that one")
    rate = Fraction(port.rate) if port.rate is not None else (source.rate if source else None)
    if rate is None:
        raise TypeError(f"an output of kind {port.kind.kind} declares neither rate nor like")
    if port.kind.width_name is None:
        return port.kind(rate)
    width = port.channels if port.channels is not None else port.dim
    if width is None and source is not None and isinstance(source, port.kind):
        width = source.width
    if width is None:
        raise TypeError(f"an output of kind {port.kind.kind} declares no {port.kind.width_name}")
    return port.kind(rate, width)  # pyright: ignore[reportCallIssue]
