"""A deeper student that starts with the weights of a shallower network.

The new blocks lie on top and add nothing at first: the outputs of their residual branches are zero.
They only normalize once more, by the weights of the block below them.

Source of the idea: T. Chen, I. Goodfellow, J. Shlens, "Net2Net: accelerating learning via knowledge
transfer", ICLR 2016.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch
from torch import nn

from voicegraph.nodes.content.phonetic_network import PhoneticBlock, PhoneticNetwork

_BRANCH_ENDS = ("before.down", "attention.output", "convolution.output", "after.down")


def grown(network: PhoneticNetwork, blocks: int, tokens: int, seed: int) -> PhoneticNetwork:
    """A network with more blocks, and with other tokens.

    Args:
        network: whose stem and blocks are taken over.
        blocks: how many it shall have, at least as many as it has.
        tokens: outputs of the new head.
        seed: of the weights that are drawn.

    Raises:
        ValueError: if it has more blocks than that.
    """
    if blocks < network.sizes.blocks:
        raise ValueError(f"{blocks} blocks are fewer than {network.sizes.blocks}")
    torch.manual_seed(seed)
    made = PhoneticNetwork(replace(network.sizes, blocks=blocks, tokens=tokens)).eval()
    held = {n: v for n, v in network.state_dict().items() if not n.startswith("head.")}
    made.load_state_dict(held, strict=False)
    below = cast("PhoneticBlock", made.blocks[network.sizes.blocks - 1])
    for block in cast("list[PhoneticBlock]", list(made.blocks[network.sizes.blocks :])):
        for name in _BRANCH_ENDS:
            last = cast("nn.Linear", block.get_submodule(name))
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        block.norm.load_state_dict(below.norm.state_dict())
    return made.requires_grad_(False)
