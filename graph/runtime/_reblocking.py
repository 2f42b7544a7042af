"""Reblocking: samples as callers give them to blocks of the pipeline, and outputs back again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import Problem, SignalError

if TYPE_CHECKING:
    from ..plan import CompiledPlan


_FLOAT32 = np.dtype(np.float32)
_MOST_BY_PRODUCT = 8192
"""Values up to which a scalar product is used: BLAS runs longer ones on several threads."""


def all_finite(values: torch.Tensor) -> bool:
    """Whether all values are finite, in one pass: a NaN or infinite value makes the sum so."""
    return math.isfinite(values.sum().item())


def flat_finite(values: np.ndarray) -> bool:
    """:func:`all_finite` of a contiguous array ``[n]``, in a fifth of the time for small blocks."""
    if len(values) > _MOST_BY_PRODUCT:
        return all_finite(torch.from_numpy(values))
    try:
        return math.isfinite(values.dot(values))
    except RuntimeWarning:  # overflow, where the user makes warnings errors
        return False


class Reblocker:
    """Cuts input into blocks ``[streams, channels, samples]``; shapes output as the caller's input.

    Samples that do not fill a block are kept until the next call. Whole blocks pass through two
    buffers with views for NumPy and PyTorch, since making a view of one for the other costs as much
    as copying a small block.
    """

    def __init__(self, plan: CompiledPlan, streams: int) -> None:
        self.plan = plan
        self.streams = streams
        self.pending = 0
        self._shape = (streams, plan.source.channels, plan.samples_in)
        self._buffer = torch.zeros(self._shape)
        self._axes, self._numpy = 3, True  # the form in which the newest call gave its samples
        self._one_wide = plan.output_type.width == 1
        self._staged = torch.zeros(self._shape)
        self._staged_array = self._staged.numpy()
        self._staged_flat = self._staged_array.reshape(-1)
        self._accepted = _shapes(self._shape)
        self._made_shape = torch.Size(plan.output_type.shape(streams, plan.samples_out))
        self._made = torch.zeros(self._made_shape)
        self._made_flat = self._made.numpy().reshape(-1)
        self._made_forms = {axes: self._form(self._made.numpy(), axes) for axes in (1, 2, 3)}

    # ---- in ---------------------------------------------------------------------------------

    def whole_block(self, block: np.ndarray | torch.Tensor) -> torch.Tensor:
        """One whole block as a float32 tensor ``[streams, channels, samples]``.

        Raises:
            SignalError: if shape or dtype do not fit.
        """
        if type(block) is np.ndarray and block.dtype is _FLOAT32 and block.shape in self._accepted:
            self._axes, self._numpy = block.ndim, True
            self._staged_array[...] = block
            return self._staged
        tensor = self._tensor(block)
        if tensor.shape != self._shape:
            raise SignalError(self._wrong_shape(block, exact=True))
        return tensor

    def blocks(self, samples: np.ndarray | torch.Tensor) -> Iterator[torch.Tensor]:
        """Any number of samples as whole blocks; the remainder is kept for the next call.

        Raises:
            SignalError: if shape or dtype do not fit.
        """
        tensor = self._tensor(samples)
        if tensor.dim() != 3 or tensor.shape[:2] != self._shape[:2]:
            raise SignalError(self._wrong_shape(samples, exact=False))
        return self._blocks(tensor)

    def padded_block(self) -> torch.Tensor:
        """The pending samples, padded with silence to a whole block."""
        missing = self._shape[2] - self.pending
        return next(self._blocks(torch.zeros(*self._shape[:2], missing)))

    def _blocks(self, tensor: torch.Tensor) -> Iterator[torch.Tensor]:
        total, taken = self._shape[2], 0
        while taken < tensor.shape[2]:
            count = min(total - self.pending, tensor.shape[2] - taken)
            span = tensor[:, :, taken : taken + count]
            taken += count
            if count == total:
                yield span
                continue
            self._buffer[:, :, self.pending : self.pending + count] = span
            self.pending += count
            if self.pending == total:
                self.pending = 0
                yield self._buffer.clone()

    def clear(self) -> None:
        """Drops the pending samples."""
        self.pending = 0

    @property
    def pending_samples(self) -> torch.Tensor:
        """Samples that do not fill a block yet: ``[streams, channels, samples]``."""
        return self._buffer[:, :, : self.pending]

    def set_pending(self, samples: torch.Tensor) -> None:
        """Replaces the pending samples, ``[streams, channels, samples]``, less than a block."""
        self.pending = samples.shape[2]
        self._buffer[:, :, : self.pending] = samples

    def sanitize(self, block: torch.Tensor, position: int, silence: bool = False) -> torch.Tensor:
        """Applies ``on_nan`` to an input block.

        Args:
            block: ``[streams, channels, samples]``.
            position: number of the block, for messages.
            silence: silence such values, whatever ``on_nan`` says.

        Returns:
            ``block`` itself if there is nothing to silence, else a copy with zeros in place of
            values that are not finite.

        Raises:
            SignalError: if values are not finite and the policy is ``error``.
        """
        if flat_finite(self._staged_flat) if block is self._staged else all_finite(block):
            return block
        bad = ~torch.isfinite(block)
        if not bool(bad.any()):  # finite values whose sum overflows float32
            return block
        if self.plan.settings.on_nan == "error" and not silence:
            stream, channel, sample = (int(i) for i in bad.nonzero()[0])
            second = float(position * self.plan.block + sample / self.plan.source.rate)
            text = (
                f"the input holds {int(bad.sum())} values that are NaN or infinite in block "
                f"{position}, the first at {second:.3f} s (stream {stream}, channel {channel})"
            )
            fix = "repair the source, or replace such values by silence: on_nan: silence"
            raise SignalError(Problem("not-finite", text, fix=fix))
        return torch.where(bad, 0.0, block)

    def _tensor(self, samples: np.ndarray | torch.Tensor) -> torch.Tensor:
        tensor = _from_torch(samples) if isinstance(samples, torch.Tensor) else _from_numpy(samples)
        self._axes = samples.ndim
        self._numpy = not isinstance(samples, torch.Tensor)
        if tensor.dim() == 1:
            return tensor.view(1, 1, -1)
        return tensor.unsqueeze(0) if tensor.dim() == 2 else tensor

    def _wrong_shape(self, given: Any, exact: bool) -> Problem:
        streams, channels, samples = self._shape
        count = f"{samples} samples" if exact else "samples"
        wanted = f"[{streams}, {channels}, {samples if exact else 'samples'}]"
        short = f", [{samples if exact else 'samples'}]" if streams == channels == 1 else ""
        if streams == 1 and channels > 1:
            short = f", [{channels}, {samples if exact else 'samples'}]"
        return Problem(
            "shape",
            f"a block has {streams} streams, {channels} channels, {count}: shape {wanted}{short}; "
            f"found {list(given.shape)}",
            fix="session.push() takes any number of samples" if exact else None,
        )

    # ---- out --------------------------------------------------------------------------------

    def take_output(self, made: torch.Tensor) -> tuple[torch.Tensor, bool]:
        """A block of output on the CPU, and whether all its values are finite.

        It is valid until the next block.
        """
        if made.shape != self._made_shape or made.dtype is not torch.float32:
            made = made.to("cpu")
            return made, all_finite(made)
        self._made.copy_(made)
        return self._made, flat_finite(self._made_flat)

    def output_like(self, given: Any, made: torch.Tensor) -> Any:
        """The output as numpy or torch like ``given``, and with its number of axes if possible."""
        if made is self._made and type(given) is np.ndarray:
            return self._made_forms[given.ndim].copy()
        return self._in_form(made, given.ndim, not isinstance(given, torch.Tensor))

    def output_like_newest(self, made: torch.Tensor) -> Any:
        """The output in the form in which the newest call gave its samples."""
        return self._in_form(made, self._axes, self._numpy)

    def tap_like(self, given: Any, values: torch.Tensor) -> Any:
        """A float32 copy of a tapped tensor with all axes, as numpy or torch like ``given``."""
        copy = values.detach().to("cpu", torch.float32, copy=True)
        return copy if isinstance(given, torch.Tensor) else copy.numpy()

    def _form(self, values: Any, axes: int) -> Any:
        """A view with this number of axes, if possible."""
        if axes < 3:
            values = values[0]
            if axes == 1 and self._one_wide and values.ndim == 2:
                values = values.reshape(-1)
        return values

    def _in_form(self, made: torch.Tensor, axes: int, as_numpy: bool) -> Any:
        values = self._form(made.numpy() if as_numpy else made, axes)
        # A copy, because the next tick may write to these tensors.
        return values.copy() if isinstance(values, np.ndarray) else values.clone()


def _shapes(whole: tuple[int, int, int]) -> frozenset[tuple[int, ...]]:
    """The shapes that a block may have, whose whole one is ``[streams, channels, samples]``."""
    streams, channels, samples = whole
    found: set[tuple[int, ...]] = {whole}
    if streams == 1:
        found.add((channels, samples))
        if channels == 1:
            found.add((samples,))
    return frozenset(found)


def _from_torch(samples: torch.Tensor) -> torch.Tensor:
    """Float32 on the CPU, detached from autograd."""
    if samples.dtype is not torch.float32 or samples.requires_grad or not samples.is_cpu:
        if not samples.is_floating_point():
            raise SignalError(_not_float(samples.dtype))
        return samples.detach().to("cpu", torch.float32)
    return samples


def _from_numpy(samples: np.ndarray) -> torch.Tensor:
    """Shares memory where torch can wrap it. Adds axes in numpy, whose views are faster."""
    if not isinstance(samples, np.ndarray):
        text = f"expected samples as a numpy array or torch tensor, found {type(samples).__name__}"
        raise SignalError(Problem("dtype", text, fix="numpy.asarray(samples, 'float32')"))
    if samples.ndim == 1:
        samples = samples[None, None]
    if samples.dtype == np.float32 and samples.flags.carray:
        return torch.from_numpy(samples)
    if not np.issubdtype(samples.dtype, np.floating):
        raise SignalError(_not_float(samples.dtype))
    with np.errstate(over="ignore"):  # too large values become infinite and are reported as such
        return torch.from_numpy(np.array(samples, np.float32))


def _not_float(found: object) -> Problem:
    text = f"expected float samples from -1 to 1, found {found}"
    fix = "samples.astype('float32') / 32768" if "int16" in str(found) else "convert them first"
    return Problem("dtype", text, fix=fix)
