"""Fingerprints that tell models of the same shape apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import torch


def fingerprint(tensors: Mapping[str, torch.Tensor], names: Iterable[str]) -> str:
    """A hash of the named tensors, 16 hexadecimal digits.

    Values are rounded to float16, so that copies of a model in any precision have the same one.
    """
    digest = hashlib.sha256()
    for name in names:
        digest.update(tensors[name].to(torch.float16).contiguous().numpy().astype("<f2").tobytes())
    return digest.hexdigest()[:16]
