"""``content.hubert``: the whole window is encoded again at each tick."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .network import BundledNetwork
from .ports import NodeSpec


class Content:
    """The node on one stream."""

    def __init__(self, spec: NodeSpec, network: BundledNetwork) -> None:
        asked = spec.asked["content"]
        self._network, self._count = network, asked.count
        self._audio = spec.given["audio"].part(asked.interval)
        self._output = next(iter(network.described.outputs))  # the node's own comes first

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Features ``[1, frames, dim]``; the last frame is repeated where the window ends."""
        made = self._network(audio=inputs["audio"][:, 0, self._audio])[self._output]
        missing = max(0, self._count - made.shape[1])
        made = np.concatenate((made, *[made[:, -1:]] * missing), 1)
        return {"content": made[:, : self._count]}
