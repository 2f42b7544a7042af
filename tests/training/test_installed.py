"""Packages that need not be there, and what is typed if they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicegraph.training import installed

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("listed", [installed.TO_SPEAK, installed.TO_LISTEN])
def test_what_to_type(listed: str) -> None:
    fix = f"\n  fix: {installed.install(listed)}"
    with pytest.raises(SystemExit, match=f"no_such_package cannot .*{fix}"):
        installed.package("no_such_package", listed)
    with pytest.raises(SystemExit, match=f"no_such_package is not installed{fix}"):
        installed.folder("no_such_package", listed)
    assert (ROOT / listed).is_file()


def test_where_files_lie() -> None:
    assert installed.folder("numpy", installed.TO_SPEAK) == Path(np.__file__).parent
    assert installed.package("numpy", installed.TO_SPEAK) is np
