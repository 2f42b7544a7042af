"""The base class of nodes: ports, params, interval arithmetic, state, process.

The compiler calls ``ports``, ``infer``, ``needs`` and ``gives``; a session calls ``load``,
``state`` and ``process``; pipeline files provide the params.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args

import torch

from .approximation import Approximation
from .intervals import Interval, Request
from .network_export import ExportedFile, ExportedNetwork
from .node_params import FilePath as FilePath
from .node_params import Live as Live
from .node_params import NodeParams as NodeParams
from .node_params import NoParams as NoParams
from .node_params import OutputPath as OutputPath
from .ports import In, Out, Ports, PortSpec
from .precision import PrecisionChoice
from .signals import SignalType

Requests = Mapping[str, Request]
Tensors = Mapping[str, torch.Tensor]


ACCELERATORS = ("cuda", "mps", "xpu")
"""Device types of accelerators as torch names them: NVIDIA and AMD, Apple, Intel."""


class State:
    """Base of node states: subclass as a dataclass of tensors.

    Every tensor has a fixed shape and dtype, and axis 0 is the streams; counters are int64. The
    session owns the state, and ``process`` changes it in place. It must contain everything that a
    stream remembers: reset, snapshot, replay and several streams on one set of weights rely on it.
    """

    def tensors(self) -> dict[str, torch.Tensor]:
        """The tensors by field name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # pyright: ignore[reportArgumentType]

    def narrow(self, stream: int) -> State:
        """A view of one stream, which shares memory with this state."""
        return type(self)(**{k: v[stream : stream + 1] for k, v in self.tensors().items()})


ParamsT = TypeVar("ParamsT", bound=NodeParams)
StateT = TypeVar("StateT", bound=State | None)


class Node(Generic[ParamsT, StateT]):
    """Base of all nodes: ``class Gain(Node[GainParams, GainState])``, or ``None`` without state.

    Class attributes a node declares:

    * ``Params``: its params model, by default the first type in the brackets. Ports are class
      attributes, each an :class:`In` or :class:`Out`.
    * ``chunking``: ``"exact"`` if the output is the same in blocks of any size, or ``"windowed"``.
    * ``pure``: the output depends only on the input interval; the node has no state. It can then
      run on streams and on windows, and gives a window if it takes one.
    * ``modulates``: its effect on the audio changes with time, whatever the input: a tremolo, a
      ring modulator, a chorus, a pitch shifter. Then it has no impulse response, and the
      conformance suite measures its latency by the arrival of impulses.
    * ``devices``: where it can run: ``"cpu"``, and ``"cuda"`` for every accelerator that torch
      names (``cuda`` on NVIDIA and AMD, ``mps`` on Apple, ``xpu`` on Intel).
    * ``dtypes``: the precisions in which it can compute; ``auto`` is one of them for every node.
    * ``needs_float64``: its state or its computation on the device uses float64. Apple's ``mps``
      has no float64, so the compiler refuses the node there.
    * ``releases_gil``: its work runs outside the interpreter lock, so a worker thread can help.
    * ``interface``: the named port contract it fulfils, if any.
    * ``asset``: name of the pipeline's asset that is used if ``weights`` is not given; by default
      the last part of ``use``.
    * ``examples``: params for the conformance suite, if the defaults are not enough;
      :meth:`write_examples` makes the files that they name.

    Attributes that the compiler sets, in this order: ``name``, ``seed``, ``block`` (seconds);
    ``declared`` (the result of :meth:`ports`); ``input_types`` and ``output_types``; ``given`` (the
    interval that each input covers at each tick) and ``asked`` (the interval that each output has
    to cover). After ``load`` the instance never changes.
    """

    Params: ClassVar[type[NodeParams]] = NoParams

    use: ClassVar[str] = ""
    chunking: ClassVar[str] = "exact"
    pure: ClassVar[bool] = False
    modulates: ClassVar[bool] = False
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
        """Name of its weights among the pipeline's ``assets``."""
        return cls.asset or cls.use.rpartition(".")[2]

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """Writes small files that ``examples`` name, for the conformance suite.

        File names in ``examples`` are relative to ``folder``.
        """

    def ports(self, params: ParamsT) -> Ports:
        """The ports; override this if they depend on params or on a file's header.

        Raises:
            VoicegraphError: if a file that the ports depend on cannot be read.
        """
        return self.declared

    def infer(self, params: ParamsT, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        """Output types by port from input types; the default uses ``like``, ``rate`` and width.

        Raises:
            ValueError: if the inputs do not fit together; the text is shown to the user.
        """
        return {name: _output_type(port, inputs) for name, port in self.declared.outputs.items()}

    def widened(self, params: ParamsT, width: int) -> Mapping[str, Any]:
        """Params that give the outputs this width, for messages; empty if no params do."""
        return {}

    def block_rates(self, params: ParamsT) -> Collection[Fraction]:
        """Rates in Hz of which a block must hold a whole number, besides those of its streams.

        Called after types are inferred. All rates of a pipeline are checked together, so that one
        block size that fits them all can be suggested.
        """
        return ()

    def needs(self, params: ParamsT, out: Request) -> Requests:
        """The interval needed of each input to make ``out``; by default the same interval.

        Args:
            params: the node's params.
            out: covers the requests to all outputs; for a stream it is one block.
        """
        return dict.fromkeys(self.input_types, out)

    def gives(self, params: ParamsT, out: Request) -> Interval:
        """The interval that a window output covers: at least ``out.core``, by default ``out``."""
        return out.interval

    def approximations(self, params: ParamsT) -> Sequence[Approximation]:
        """What it computes less exactly than it could with other params; ``explain`` lists it.

        Called after compilation, so that the answer may depend on spans. An approximation that has
        no effect with these params is left out.
        """
        return ()

    def unrepeatable(self, params: ParamsT) -> Sequence[str]:
        """Why two runs of the same input may differ, one clause each; ``explain`` lists them.

        Empty for every node whose random numbers come from ``voicegraph.graph.random``. For a
        foreign network that draws its own, which nobody can seed. It does not pass the checks
        ``repeat``, ``reset`` and ``snapshot`` of the conformance suite. Called after compilation.
        """
        return ()

    # ---- run time ---------------------------------------------------------------------------

    def prepare(self, params: ParamsT) -> None:
        """Works out sizes and positions from ``given``, ``asked`` and ``block``, as integers.

        Called once, before :meth:`load`. Times are fractions, and arithmetic with them takes
        microseconds: :meth:`process` should find what it needs as attributes.
        """

    def choose_precision(self, params: ParamsT, device: torch.device) -> PrecisionChoice:
        """What ``dtype: auto`` means on this machine: float32, unless a trial shows better.

        Called after :meth:`prepare` and before :meth:`load`, never on a thread that processes. The
        same question has the same answer as long as the process lives.
        """
        return PrecisionChoice()

    def has_precision(self, dtype: str, device: torch.device) -> bool:
        """Whether it can compute in a precision on this machine, as another one has chosen it."""
        return dtype in self.dtypes

    @classmethod
    def usual_precision(cls) -> PrecisionChoice | None:
        """What ``dtype: auto`` means for a network of the usual size, without any file.

        None for nodes without a network that has a trial.
        """
        return None

    def load(self, params: ParamsT, device: torch.device, dtype: torch.dtype) -> None:
        """Loads weights and tables to ``device``. Called once; nothing changes afterwards.

        ``dtype`` is the precision of the file, or what :meth:`choose_precision` has chosen; int8 is
        named ``torch.int8``, and means 8-bit products between values in float32.

        Raises:
            VoicegraphError: if a file is missing or wrong.
        """

    def state(self, params: ParamsT, streams: int) -> StateT:
        """The initial state of ``streams`` streams on ``self.device``; None without state."""
        return cast("StateT", None)

    def check_change(self, params: ParamsT, new: ParamsT) -> None:
        """Checks whether a running node may change from ``params`` to ``new``.

        By default the params decide. A node that knows more, such as what its file held when it was
        loaded, overrides this; it must not read files, since it would delay the session, and the
        file may have changed.

        Raises:
            ValueError: if the change is not allowed; the text is shown to the user.
        """
        params.check_change(new)

    def exports(self, params: ParamsT) -> ExportedNetwork | None:
        """Its network for other runtimes (``voicegraph export``); None for nodes without one.

        Called after :meth:`load` in float32 on the CPU, and never on a thread that processes.

        Raises:
            VoicegraphError: if these params have no network that can be exported.
        """
        return None

    def exported_files(self, params: ParamsT) -> Mapping[str, ExportedFile]:
        """Files that a bundle holds for it: param that names the source -> file.

        Weights that its network contains are none of them.

        Raises:
            VoicegraphError: if a file cannot be read.
        """
        return {}

    def keeps(self, params: ParamsT) -> Mapping[str, Path]:
        """Audio outputs that the session writes to sound files: port name -> path.

        Each path is the value of a param of the type :data:`OutputPath`.
        Called once per session, after the warm-up. The node itself opens no file, so that its
        instance does not change and can serve several sessions.
        """
        return {}

    def process(self, inputs: Tensors, params: ParamsT, state: StateT) -> Tensors:
        """Computes one tick.

        Args:
            inputs: input tensors by port name, with the shapes of ``given``; not to be modified.
            params: the current params.
            state: changed in place.

        Returns:
            Output tensors by port name, with the shapes of ``asked``.
        """
        raise TypeError(f"{type(self).__name__} does not define process()")


def _params_type(cls: type[Any]) -> type[NodeParams] | None:
    """The params model among the type arguments of a class's bases, if there is one."""
    for base in vars(cls).get("__orig_bases__", ()):
        for found in get_args(base):
            if isinstance(found, type) and issubclass(found, NodeParams):
                return found
    return None


def _output_type(port: Out, inputs: Mapping[str, SignalType]) -> SignalType:
    source = inputs.get(port.like) if port.like else None
    if port.like and source is None:
        raise ValueError(f"its output has the rate of its input `{port.like}`: connect that input")
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
