"""Phone error rates."""

from __future__ import annotations

import numpy as np

from .heard import heard, text, values


def test_phones_may_be_numbers_or_names() -> None:
    numbers = heard(
        {"phones.hama": {"phones": np.array([1, 2, 4])}},
        {"phones.hama": {"phones": np.array([1, 2, 3, 4])}},
    )
    assert values("phones", None, numbers)["phones.hama"].value == 0.25
    by = "phones.pocketsphinx"
    names = heard({by: text("AH T T", "phones")}, {by: text("AH T", "phones")})
    assert values("phones", "pocketsphinx", names)[by].value == 0.5


def test_a_source_without_phones_gives_a_reason() -> None:
    nothing = {"phones.hama": {"phones": np.zeros(0, np.int64)}}
    assert values("phones", None, heard(nothing, nothing))["phones.hama"] == (
        None,
        "no phone is heard in the source",
    )
