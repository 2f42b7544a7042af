"""What a worker must have in common with the driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.experiments.engines.worker_facts import (
    code_hash,
    mismatch,
    packages_with_numbers,
    worker_facts,
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with a module."""
    (tmp_path / "nodes" / "f0").mkdir(parents=True)
    (tmp_path / "nodes" / "f0" / "dio.py").write_bytes(b"a = 1\nb = 2\n")
    return tmp_path


def test_code_is_what_is_in_its_files(package: Path) -> None:
    before = code_hash(package)
    code_hash.cache_clear()
    module = package / "nodes" / "f0" / "dio.py"
    module.write_bytes(b"a = 1\r\nb = 2\r\n")  # a checkout on Windows
    assert code_hash(package) == before
    code_hash.cache_clear()
    module.write_bytes(b"a = 1\nb = 3\n")
    assert code_hash(package) != before


def test_tests_and_documentation_are_no_code(package: Path) -> None:
    before = code_hash(package)
    code_hash.cache_clear()
    (package / "tests").mkdir()
    (package / "tests" / "test_dio.py").write_text("pass")
    assert code_hash(package) == before


def test_packages_that_compute_count_and_those_that_draw_do_not() -> None:
    found = packages_with_numbers()
    assert {"numpy", "torch", "scipy"} <= {*found}
    assert not {"rich", "matplotlib", "voicegraph"} & {*found}


def test_a_worker_like_the_driver_is_used() -> None:
    ours = worker_facts(packages_with_numbers())
    assert mismatch(ours, ours.as_dict(), "b") is None
