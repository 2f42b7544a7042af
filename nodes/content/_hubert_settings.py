"""Settings of a HuBERT that stand beside its tensors: Hugging Face's ``config.json``, fairseq's.

Only those that no tensor shows decide anything; the others are compared with the tensors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from voicegraph.graph.files.models import Archive
from voicegraph.graph.files.models.plain_values import Plain, plain_value

from .hubert_sizes import EPSILON, STRIDES, HubertSizes

_BUILT: dict[str, Plain] = {
    "do_stable_layer_norm": False,
    "layer_norm_first": False,
    "feat_extract_activation": "gelu",
    "hidden_act": "gelu",
    "activation_fn": "gelu",
    "conv_stride": list(STRIDES),
    "layer_norm_eps": EPSILON,
}
"""Settings of either library that no tensor shows, with the values of HuBERT base."""
_SHOWN: dict[str, Plain] = {
    "feat_extract_norm": "group",
    "extractor_mode": "default",
    "conv_bias": False,
    "feat_proj_layer_norm": True,
    "conv_pos_batch_norm": False,
}
"""Settings that tensors show, with the values that fit those of HuBERT base."""
_HEADS = ("num_attention_heads", "encoder_attention_heads")
_SIZES = {
    **dict.fromkeys(("hidden_size", "encoder_embed_dim"), "hidden"),
    **dict.fromkeys(("intermediate_size", "encoder_ffn_embed_dim"), "inner"),
    **dict.fromkeys(("num_hidden_layers", "encoder_layers"), "layers"),
}
"""Names of either library for sizes that tensors show."""
_YES, _NO = ("true", "1"), ("false", "0")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the model by either library's names, as plain values."""

    values: Mapping[str, Plain]

    @classmethod
    def of(cls, archive: Archive) -> Settings:
        """Those of a folder, or those that fairseq stores as ``cfg``, or ``args`` in old files.

        Raises:
            WeightsError: if the file cannot be read.
        """
        if archive.config:
            found = plain_value(archive, archive.config)
            return cls(found if isinstance(found, dict) else {})
        tree = archive.tree if isinstance(archive.tree, dict) else {}
        for key in ("cfg", "args", "config"):
            found = plain_value(archive, tree[key]) if key in tree else None
            if isinstance(found, dict) and found:
                model = found.get("model")
                return cls(model if isinstance(model, dict) and model else found)
        return cls({})

    @property
    def heads(self) -> int | None:
        """Attention heads; None if they are not stated."""
        for key in _HEADS:
            found = _number(self.values.get(key))
            if found is not None and found > 0 and found == int(found):
                return int(found)
        return None

    def differences(self) -> list[str]:
        """Settings that no tensor shows, and that are not those of HuBERT base: a line each."""
        return [
            f"{key} is {str(self.values[key])[:40]}, expected {expected}"
            for key, expected in _BUILT.items()
            if isinstance(self.values.get(key), (bool, int, float, str, list))
            and not _same(self.values[key], expected)
        ]

    def contradictions(self, sizes: HubertSizes, like_base: bool) -> Iterator[str]:
        """A remark for each setting that the tensors contradict.

        Args:
            sizes: of the network.
            like_base: whether its tensors are those of HuBERT base, and no others.
        """
        for key, expected in _SHOWN.items() if like_base else ():
            value = self.values.get(key)
            if isinstance(value, (bool, int, float, str)) and not _same(value, expected):
                yield f"its settings state {key} {str(value)[:40]}; its tensors show {expected}"
        for key, name in _SIZES.items():
            value, shown = _number(self.values.get(key)), getattr(sizes, name)
            if value is not None and value != shown:
                yield f"its settings state {key} {value:g}; its tensors show {shown}"


def _same(value: Plain, expected: Plain) -> bool:
    if isinstance(expected, bool):
        said = str(int(value) if isinstance(value, float) else value).lower()
        return said in (_YES if expected else _NO)
    if isinstance(expected, float):
        found = _number(value)
        return found is not None and math.isclose(found, expected, rel_tol=1e-5)
    if isinstance(expected, list) and isinstance(value, list):
        return [_number(item) for item in value] == expected
    return value == expected


def _number(value: Plain) -> float | None:
    """A number, or a number as text; None for anything else."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
