"""The base of the networks of nodes: built plain, then brought into the form that they run in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, TypeVar

import torch
from torch import nn

from voicegraph.graph import PipelineError, PrecisionChoice, Problem, WeightsError
from voicegraph.graph.files.models import Archive, shared_file
from voicegraph.nodes.layers.form import Form, Packers, packed, plain
from voicegraph.nodes.layers.int8_linear import can_quantise
from voicegraph.nodes.layers.packed import can_pack
from voicegraph.nodes.layers.precision_trial import TrialStage, fastest_form


class Network(nn.Module):
    """A network that a node runs.

    It is built plain: an ordinary module in float32, which can be trained, tested and exported, and
    which holds the weights under the names of its state dict. :func:`into_form` then moves it to a
    device and replaces layers by packed ones. The packed form has no usable state dict.

    ``packings`` names the packed forms of the network, and the portable one that is exported if it
    differs from the plain one, each with the layers that are replaced.
    """

    packings: ClassVar[Mapping[Form, Packers]] = MappingProxyType({})

    def place(self, device: torch.device, dtype: torch.dtype) -> None:
        """Moves and casts the plain network; a subclass may keep some layers in float32."""
        self.to(device, dtype)


NetworkT = TypeVar("NetworkT", bound=Network)


def form_for(kind: type[Network], device: torch.device, dtype: torch.dtype) -> Form:
    """The form in which a kind of network runs on a device in a dtype: packed, where it can be.

    Raises:
        PipelineError: for int8, of which there is no plain form, where it cannot be packed.
    """
    form = packed(dtype)
    int8 = dtype is torch.int8
    possible = can_quantise(device) if int8 else can_pack(device, dtype)
    if form in kind.packings and possible:
        return form
    if int8:
        text = f"int8 takes an x86 processor and a PyTorch with oneDNN; {device} has no such form"
        fix = "dtype: auto\nor  dtype: float32"
        raise PipelineError(Problem("no-such-precision", text, fix=fix))
    return plain(dtype)


def into_form(network: NetworkT, device: torch.device, form: Form) -> NetworkT:
    """Brings a plain network in float32, on the CPU, into a form; in place.

    A layer is replaced with everything in it if the form's packers know its class, or else looked
    into. So a packer may replace a single product or a whole decoder.

    Raises:
        ValueError: if the network has no such form.
    """
    if form.layout != "plain" and form not in network.packings:
        raise ValueError(f"{type(network).__name__} has no form {form}")
    with torch.inference_mode(False), torch.no_grad():
        network.requires_grad_(False).eval().place(device, form.dtype)
        if form.layout != "plain":
            _replace_layers(network, network.packings[form])
    return network


def with_any_weights(make: Callable[[], nn.Module]) -> nn.Module:
    """What ``make`` builds, with weights that nobody initialises: to measure what it costs."""
    with torch.device("meta"):
        made = make()
    made = made.to_empty(device="cpu").requires_grad_(False).eval()
    for weight in made.parameters():
        weight.fill_(1 / 64)
    return made


def trial_part(kind: type[Network], make: Callable[[], nn.Module], form: Form) -> nn.Module:
    """A part of a kind of network in a form, with any weights."""
    holder = nn.Sequential(with_any_weights(make))
    _replace_layers(holder, kind.packings[form])
    return holder[0]


def choose_precision(
    kind: type[Network], stages: Sequence[TrialStage], device: torch.device
) -> PrecisionChoice:
    """What ``dtype: auto`` means for a kind of network: the result of ``Node.choose_precision``."""
    trial = fastest_form(kind.packings, stages, device)
    if trial is None:
        return PrecisionChoice()
    return PrecisionChoice(trial.form.precision, trial.milliseconds)


def load_network(
    kind: type[NetworkT],
    archive: Archive,
    build: Callable[[], NetworkT],
    device: torch.device,
    form: Form,
    *more: str | int | bool | None,
) -> NetworkT:
    """The network of a model file in a form; all nodes, sessions and swaps of a process share it.

    Two calls give the same network if the kind, the contents of the file, the device, the form and
    ``more`` are equal. Names of nodes and files do not matter.

    Args:
        kind: the class of the network.
        archive: the opened file.
        build: reads its tensors and builds the network plain, in float32, on the CPU.
        device: where it runs.
        form: such as :func:`form_for` gives.
        more: whatever else decides what ``build`` makes, such as the number of layers.

    Raises:
        WeightsError: if the file cannot be used, or holds values that the form cannot.
        ValueError: if the network has no such form.
    """

    def make() -> NetworkT:
        with torch.inference_mode(False), torch.no_grad():
            network = into_form(build(), device, form)
        _require_finite(network, form, archive.path)
        return network

    return shared_file(kind.__name__, archive.files, make, *more, str(device), form)


def _replace_layers(module: nn.Module, packers: Packers) -> None:
    for name, child in module.named_children():
        if (packer := packers.get(type(child))) is not None:
            setattr(module, name, packer(child))
        else:
            _replace_layers(child, packers)


def _require_finite(network: Network, form: Form, path: Path) -> None:
    """Float16 ends at 65504; bfloat16 has the range of float32."""
    if form.dtype is not torch.float16:
        return
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            text = f"{path}: {name} has values that float16 cannot hold"
            fix = "use dtype: float32 or bfloat16"
            raise WeightsError(Problem("weights-out-of-range", text, fix=fix))
