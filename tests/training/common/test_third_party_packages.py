"""Third-party packages, and the command to type if one is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicegraph.training.common import third_party_packages

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "listed", [third_party_packages.TTS_PACKAGES, third_party_packages.METRIC_PACKAGES]
)
def test_missing_package_says_what_to_type(listed: str) -> None:
    fix = f"\n  fix: {third_party_packages.install(listed)}"
    with pytest.raises(SystemExit, match=f"no_such_package cannot .*{fix}"):
        third_party_packages.import_package("no_such_package", listed)
    with pytest.raises(SystemExit, match=f"no_such_package is not installed{fix}"):
        third_party_packages.package_folder("no_such_package", listed)
    assert (ROOT / listed).is_file()


def test_installed_package_is_found() -> None:
    assert (
        third_party_packages.package_folder("numpy", third_party_packages.TTS_PACKAGES)
        == Path(np.__file__).parent
    )
    assert third_party_packages.import_package("numpy", third_party_packages.TTS_PACKAGES) is np
