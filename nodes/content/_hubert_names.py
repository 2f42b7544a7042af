"""Names of the tensors of a HuBERT in published files.

Canonical names are those of converted files and of the network; see ``hubert_sizes``. An asterisk
stands for the index of a convolution or a layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from voicegraph.graph.files.models.state_dict import (
    StateDict,
    find_state_dict,
    without_wrappers,
)

_CANONICAL_MARKER = "convs.0.weight"
_NUMBER = re.compile(r"(?<=layers\.)([0-9]{1,4})(?=\.)")
_LEAVES = {
    **{leaf: leaf for leaf in ("weight", "bias", "weight_g", "weight_v")},
    "original0": "weight_g",
    "original1": "weight_v",
}
_HEAD = "final_proj"
_INSIDE = ("feature_extractor.", "feature_projection.", "encoder.", "post_extract_proj.")
"""Prefixes of tensors that inference uses. All others, such as masks and labels, belong to
training."""


@dataclass(frozen=True, slots=True)
class _Dialect:
    """The names of one library: a tensor that identifies its files, and the canonical names."""

    marker: str
    stems: Mapping[str, str]


def _layer(own: Mapping[str, str]) -> dict[str, str]:
    return {f"encoder.layers.*.{stem}": f"layers.*.{name}" for stem, name in own.items()}


_HUGGING_FACE = _Dialect(
    "feature_extractor.conv_layers.0.conv.weight",
    {
        "feature_extractor.conv_layers.*.conv": "convs.*",
        "feature_extractor.conv_layers.*.layer_norm": "convs.*.norm",
        "feature_projection.layer_norm": "features_norm",
        "feature_projection.projection": "projection",
        "encoder.pos_conv_embed.conv": "position",
        "encoder.pos_conv_embed.conv.parametrizations.weight": "position",
        "encoder.layer_norm": "norm",
        **_layer(
            {
                "attention.q_proj": "attention.query",
                "attention.k_proj": "attention.key",
                "attention.v_proj": "attention.value",
                "attention.out_proj": "attention.output",
                "layer_norm": "attention_norm",
                "feed_forward.intermediate_dense": "up",
                "feed_forward.output_dense": "down",
                "final_layer_norm": "norm",
            }
        ),
        _HEAD: "head",
    },
)
_FAIRSEQ = _Dialect(
    "feature_extractor.conv_layers.0.0.weight",
    {
        "feature_extractor.conv_layers.*.0": "convs.*",
        "feature_extractor.conv_layers.*.2": "convs.*.norm",
        "feature_extractor.conv_layers.*.2.1": "convs.*.norm",
        "layer_norm": "features_norm",
        "post_extract_proj": "projection",
        "encoder.pos_conv.0": "position",
        "encoder.pos_conv.0.parametrizations.weight": "position",
        "encoder.layer_norm": "norm",
        **_layer(
            {
                "self_attn.q_proj": "attention.query",
                "self_attn.k_proj": "attention.key",
                "self_attn.v_proj": "attention.value",
                "self_attn.out_proj": "attention.output",
                "self_attn_layer_norm": "attention_norm",
                "fc1": "up",
                "fc2": "down",
                "final_layer_norm": "norm",
            }
        ),
        _HEAD: "head",
    },
)


@dataclass(frozen=True, slots=True)
class Names:
    """The tensor names of one file.

    Attributes:
        stored: canonical name -> name in the file.
        strange: names in the file that belong to a network of another architecture.
        remark: which copy of the network is used, if the file has several.
    """

    stored: Mapping[str, str]
    strange: tuple[str, ...]
    remark: str = ""


def find_names(found: Iterable[str], converted: bool) -> Names | None:
    """The names of an encoder among those of a file; None if it holds none.

    Args:
        found: every name in the file.
        converted: whether its card says that it holds an encoder by canonical names.
    """
    names = list(found)
    if converted:
        state = find_state_dict(names, _CANONICAL_MARKER)
        return None if state is None else Names(state.names, (), state.remark)
    for dialect in (_HUGGING_FACE, _FAIRSEQ):
        state = find_state_dict(names, dialect.marker)
        if state is not None:
            return _translate(names, state, dialect)
    return None


def _translate(names: list[str], state: StateDict, dialect: _Dialect) -> Names:
    stored: dict[str, str] = {}
    strange: list[str] = []
    # A projection that was added to a model is outside of its prefix.
    inside = frozenset(state.names.values())
    added = {
        own: name
        for name in names
        if name not in inside and (own := without_wrappers(name)).rpartition(".")[0] == _HEAD
    }
    for own, name in (state.names | added).items():
        canonical = _canonical(own, dialect)
        if canonical is not None and canonical not in stored:
            stored[canonical] = name
        elif own.startswith(_INSIDE):
            strange.append(name)
    return Names(stored, tuple(strange), state.remark)


def _canonical(name: str, dialect: _Dialect) -> str | None:
    stem, _, leaf = name.rpartition(".")
    number = _NUMBER.search(stem + ".")
    pattern = _NUMBER.sub("*", stem + ".", 1)[:-1]
    target = dialect.stems.get(pattern)
    if target is None or leaf not in _LEAVES or (leaf[-1:].isdigit() and target != "position"):
        return None
    return f"{target.replace('*', number[1]) if number else target}.{_LEAVES[leaf]}"
