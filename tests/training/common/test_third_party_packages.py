"""Packages that need not be there, and what is typed if they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicegraph.training.common import third_party_packages

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("listed", [third_party_packages.TO_SPEAK, third_party_packages.TO_LISTEN])
def test_what_to_type(listed: str) -> None:
    fix = f"\n  fix: {third_party_packages.install(listed)}"
    with pytest.raises(SystemExit, match=f"no_such_package cannot .*{fix}"):
        third_party_packages.package("no_such_package", listed)
    with pytest.raises(SystemExit, match=f"no_such_package is not installed{fix}"):
        third_party_packages.folder("no_such_package", listed)
    assert (ROOT / listed).is_file()


def test_where_files_lie() -> None:
    assert (
        third_party_packages.folder("numpy", third_party_packages.TO_SPEAK)
        == Path(np.__file__).parent
    )
    assert third_party_packages.package("numpy", third_party_packages.TO_SPEAK) is np
