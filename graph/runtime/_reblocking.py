"""What comes into a session and goes out: shapes, libraries, blocks, NaN."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import Problem, SignalError

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from .session import Session


def finite(values: torch.Tensor) -> bool:
    """Whether all values are finite. A sum is NaN or infinite if any addend is: one pass."""
    return math.isfinite(values.sum().item())


class Admission:
    """Turns what callers give into blocks ``[streams, channels, samples]``, and back."""

    def __init__(self, plan: CompiledPlan, streams: int) -> None:
        self.plan = plan
        self.streams = streams
        self.pending = 0
        self._shape = (streams, plan.source.channels, plan.samples_in)
        self._waiting = torch.zeros(self._shape)
        self._axes, self._numpy = 3, True  # how the newest caller likes its samples
        self._one_wide = plan.output_type.width == 1

    # ---- in ---------------------------------------------------------------------------------

    def admit(self, block: np.ndarray | torch.Tensor) -> torch.Tensor:
        """One whole block.

        Raises:
            SignalError: if shape or dtype do not fit.
        """
        tensor = self._tensor(block)
        if tensor.shape != self._shape:
            raise SignalError(self._wrong_shape(block, exact=True))
        return tensor

    def collect(self, samples: np.ndarray | torch.Tensor) -> Iterator[torch.Tensor]:
        """Any number of samples as whole blocks; the rest waits for the next call.

        Raises:
            SignalError: if shape or dtype do not fit.
        """
        tensor = self._tensor(samples)
        if tensor.dim() != 3 or tensor.shape[:2] != self._shape[:2]:
            raise SignalError(self._wrong_shape(samples, exact=False))
        return self._blocks(tensor)

    def pad(self) -> torch.Tensor:
        """Silence up to the end of the block that waits: a whole block."""
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
            self._waiting[:, :, self.pending : self.pending + count] = span
            self.pending += count
            if self.pending == total:
                self.pending = 0
                yield self._waiting.clone()

    def clear(self) -> None:
        """Drops what waits."""
        self.pending = 0

    @property
    def waiting(self) -> torch.Tensor:
        """What waits for the rest of its block: ``[streams, channels, samples]``."""
        return self._waiting[:, :, : self.pending]

    def wait(self, samples: torch.Tensor) -> None:
        """Makes ``samples`` what waits, less than a block."""
        self.pending = samples.shape[2]
        self._waiting[:, :, : self.pending] = samples

    def sanitize(self, block: torch.Tensor, session: Session) -> torch.Tensor:
        """Applies ``on_nan`` to what comes in.

        Raises:
            SignalError: if values are not finite and the policy is ``error``.
        """
        if finite(block):
            return block
        bad = ~torch.isfinite(block)
        if not bool(bad.any()):  # finite values whose sum overflows float32
            return block
        if self.plan.settings.on_nan == "error":
            stream, channel, sample = (int(i) for i in bad.nonzero()[0])
            second = float(session.position * self.plan.block + sample / self.plan.source.rate)
            text = (
                f"the input holds {int(bad.sum())} values that are NaN or infinite in block "
                f"{session.position}, the first at {second:.3f} s "
                f"(stream {stream}, channel {channel})"
            )
            fix = "mend the source, or let them count as silence: on_nan: silence"
            raise SignalError(Problem("not-finite", text, fix=fix))
        session.nonfinite += 1
        return torch.where(bad, 0.0, block)

    def _tensor(self, samples: np.ndarray | torch.Tensor) -> torch.Tensor:
        tensor = _own(samples) if isinstance(samples, torch.Tensor) else _from_numpy(samples)
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

    def present(self, like: Any, made: torch.Tensor) -> Any:
        """The output with the caller's library and, where it can be, number of axes."""
        return self._shaped(made, like.ndim, not isinstance(like, torch.Tensor))

    def present_last(self, made: torch.Tensor) -> Any:
        """The same, in the manner of the newest call."""
        return self._shaped(made, self._axes, self._numpy)

    def like(self, like: Any, values: torch.Tensor) -> Any:
        """A copy of a tapped tensor, all axes kept, in the caller's library."""
        copy = values.detach().to("cpu", torch.float32, copy=True)
        return copy if isinstance(like, torch.Tensor) else copy.numpy()

    def _shaped(self, made: torch.Tensor, axes: int, as_numpy: bool) -> Any:
        values = made.numpy() if as_numpy else made  # numpy's views cost half of torch's
        if axes < 3:
            values = values[0]
            if axes == 1 and self._one_wide and values.ndim == 2:
                values = values.reshape(-1)
        # The copy keeps callers away from tensors that the next tick may write to.
        return values.copy() if isinstance(values, np.ndarray) else values.clone()


def _own(samples: torch.Tensor) -> torch.Tensor:
    """Float32 on the CPU, without a gradient's graph behind it."""
    if samples.dtype is not torch.float32 or samples.requires_grad or not samples.is_cpu:
        if not samples.is_floating_point():
            raise SignalError(_no_floats(samples.dtype))
        return samples.detach().to("cpu", torch.float32)
    return samples


def _from_numpy(samples: np.ndarray) -> torch.Tensor:
    """The same memory where torch can wrap it; a vector gets its axes here, for they cost less."""
    if not isinstance(samples, np.ndarray):
        text = f"samples come as a numpy array or a torch tensor, found {type(samples).__name__}"
        raise SignalError(Problem("dtype", text, fix="numpy.asarray(samples, 'float32')"))
    if samples.ndim == 1:
        samples = samples[None, None]
    if samples.dtype == np.float32 and samples.flags.carray:
        return torch.from_numpy(samples)
    if not np.issubdtype(samples.dtype, np.floating):
        raise SignalError(_no_floats(samples.dtype))
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is reported as that
        return torch.from_numpy(np.array(samples, np.float32))


def _no_floats(found: object) -> Problem:
    text = f"samples are floats from -1 to 1, found {found}"
    fix = "samples.astype('float32') / 32768" if "int16" in str(found) else "convert them first"
    return Problem("dtype", text, fix=fix)
