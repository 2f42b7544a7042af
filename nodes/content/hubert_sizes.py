"""How large an encoder of the HuBERT base architecture is: read off the shapes of its tensors.

Canonical names, with ``N`` from 0, each with ``.weight`` and most with ``.bias``: ``convs.N``,
``convs.0.norm``, ``features_norm``, ``projection``, ``position`` (``weight_g`` and ``weight_v``
where its weight norm is not folded), ``norm``, ``layers.N.attention.query`` (``key``, ``value``,
``output``), ``layers.N.attention_norm``, ``layers.N.up``, ``layers.N.down``, ``layers.N.norm``,
``head``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

STRIDES = (5, 2, 2, 2, 2, 2, 2)
"""Of the convolutions; their product is the 320 samples from frame to frame."""
FRAMES_HZ = 50
"""Frames of features a second, of audio at 16 kHz."""
EPSILON = 1e-5
"""Of every normalisation."""
HEAD_WIDTH = 64
"""Channels of an attention head, where a file does not say how many heads there are."""
_PARTS = ("query", "key", "value", "output")

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
"""Shapes by canonical name."""


@dataclass(frozen=True, slots=True)
class HubertSizes:
    """Everything that differs between encoders of this architecture.

    Attributes:
        channels: of each convolution.
        kernels: samples or frames under each convolution.
        hidden: width of the layers.
        inner: width inside a layer's feed-forward half.
        layers: how many there are.
        heads: attention heads of each.
        taps: frames under the positional convolution.
        groups: its groups.
        projection: width of the final projection; None without one.
    """

    channels: tuple[int, ...]
    kernels: tuple[int, ...]
    hidden: int
    inner: int
    layers: int
    heads: int
    taps: int
    groups: int
    projection: int | None

    @property
    def field(self) -> int:
        """Samples that one frame of the features is made of: 400."""
        steps = [math.prod(STRIDES[:i]) for i in range(len(STRIDES))]
        return 1 + sum((k - 1) * step for k, step in zip(self.kernels, steps, strict=True))

    def frames(self, samples: int) -> int:
        """Features made of so many samples."""
        return max(0, (samples - self.field) // math.prod(STRIDES) + 1)

    @classmethod
    def of(cls, shapes: Shapes, heads: int | None = None) -> HubertSizes:
        """What the shapes say.

        Args:
            shapes: by canonical name.
            heads: attention heads, where the file says so.

        Raises:
            ValueError: if they are those of no such network; the text goes to the user.
        """
        convs = [_shape(shapes, f"convs.{i}.weight", 3) for i in range(len(STRIDES))]
        hidden = _shape(shapes, "projection.weight", 2)[0]
        folded = "position.weight" in shapes
        position = _shape(shapes, "position.weight" if folded else "position.weight_v", 3)
        if position[1] > hidden or hidden % position[1]:
            raise ValueError(f"its {hidden} channels cannot be split into groups of {position[1]}")
        if heads is None and hidden % HEAD_WIDTH:
            raise ValueError(
                f"its width of {hidden} is no multiple of {HEAD_WIDTH}, and nothing in it says how "
                "many attention heads it has"
            )
        heads = heads or hidden // HEAD_WIDTH
        if heads < 0 or hidden % heads:
            raise ValueError(f"its width of {hidden} cannot be split into {heads} attention heads")
        return cls(
            channels=tuple(shape[0] for shape in convs),
            kernels=tuple(shape[2] for shape in convs),
            hidden=hidden,
            inner=_shape(shapes, "layers.0.up.weight", 2)[0],
            layers=_layers(shapes),
            heads=heads,
            taps=position[2],
            groups=hidden // position[1],
            projection=_shape(shapes, "head.weight", 2)[0] if "head.weight" in shapes else None,
        )

    def shapes(self, folded: bool = False) -> dict[str, Shape]:
        """Every tensor that such a network has; ``folded``: without the weight norm's two parts."""
        hidden, first = self.hidden, self.channels[0]
        kernel = (hidden, hidden // self.groups, self.taps)
        inputs = (1, *self.channels)
        sizes = enumerate(zip(self.channels, inputs, self.kernels, strict=False))
        found: dict[str, Shape] = {f"convs.{i}.weight": shape for i, shape in sizes}
        found |= _norm("convs.0.norm", first) | _norm("features_norm", self.channels[-1])
        found |= _linear("projection", hidden, self.channels[-1])
        parts = (
            {"weight": kernel} if folded else {"weight_g": (1, 1, self.taps), "weight_v": kernel}
        )
        found |= {f"position.{leaf}": shape for leaf, shape in parts.items()}
        found |= {"position.bias": (hidden,)} | _norm("norm", hidden)
        for i in range(self.layers):
            layer = f"layers.{i}."
            for part in _PARTS:
                found |= _linear(f"{layer}attention.{part}", hidden, hidden)
            found |= _norm(f"{layer}attention_norm", hidden) | _norm(f"{layer}norm", hidden)
            found |= _linear(f"{layer}up", self.inner, hidden)
            found |= _linear(f"{layer}down", hidden, self.inner)
        if self.projection is not None:
            found |= _linear("head", self.projection, hidden)
        return found


def _norm(name: str, width: int) -> dict[str, Shape]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _linear(name: str, outputs: int, inputs: int) -> dict[str, Shape]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _shape(shapes: Shapes, name: str, axes: int) -> Shape:
    shape = shapes.get(name)
    if shape is None:
        raise ValueError(f"it has no `{name}`")
    if len(shape) != axes or not all(shape):
        raise ValueError(f"its `{name}` has shape {list(shape)}, expected {axes} sizes above 0")
    return shape


def _layers(shapes: Shapes) -> int:
    """As many as are there, if none is left out: a number alone may be made up."""
    found = {int(match[1]) for name in shapes if (match := re.match(r"layers\.(\d+)\.", name))}
    if missing := set(range(len(found))) - found:
        raise ValueError(f"layer {min(missing) + 1} is not in it, but later ones are")
    return len(found)
