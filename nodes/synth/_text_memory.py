"""What a text encoder remembers of settled frames, so that they need not be computed again.

Only attention reaches all frames: it needs the keys and values of earlier ones. Relative positions
reach ten frames, and the convolutions of a layer two.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class TextMemory:
    """Remembered values of some streams during one call; the tensors are changed in place.

    The frames of a call are the ``again`` newest earlier ones, which are computed again, and
    ``new`` ones. As many frames as are new are then settled: their values stay.

    Attributes:
        pairs: ``[streams, layers, past, 2 channels]``, keys and values of settled frames, the
            newest last.
        inputs: ``[streams, layers, before, channels]``, inputs of the convolutions of the newest
            settled frames.
        new: new frames of each call.
        begun: int64 ``[streams]``, frames before those of this call, on the device; None if all
            that are remembered exist.
    """

    pairs: torch.Tensor
    inputs: torch.Tensor
    new: int
    begun: torch.Tensor | None

    def attended(
        self, layer: int, own: torch.Tensor, exists: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Keys and values that a layer attends to, and which of these frames exist."""
        return _extend(self.pairs[:, layer], own, self.new), self._exists(self.pairs, exists)

    def convolved(
        self, layer: int, own: torch.Tensor, exists: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Inputs of a layer's convolutions with those before them, and which of these exist."""
        return _extend(self.inputs[:, layer], own, self.new), self._exists(self.inputs, exists)

    def _exists(self, held: torch.Tensor, own: torch.Tensor | None) -> torch.Tensor | None:
        """Of remembered frames and the call's ``own``, whether they exist."""
        if own is None or self.begun is None:
            return None
        ages = torch.arange(held.shape[2], 0, -1, device=held.device)
        return torch.cat((ages <= self.begun[:, None], own), 1)


def _extend(held: torch.Tensor, own: torch.Tensor, new: int) -> torch.Tensor:
    """Puts remembered frames before a call's own, and remembers ``new`` more of these."""
    whole = torch.cat((held.to(own.dtype), own), 1)
    held.copy_(whole[:, new : new + held.shape[1]])
    return whole
