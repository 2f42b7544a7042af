"""Weights in packages that plug-ins read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from voicegraph.experiments import observers
from voicegraph.experiments.metric import Need
from voicegraph.experiments.packages import weights_of

from .needed_packages import skip_if_missing


def test_weights_are_named_by_module_path_and_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "some_judge"
    (home / "model" / "deep").mkdir(parents=True)
    (home / "__init__.py").touch()
    contents = {"model/a.bin": b"a", "model/deep/b.bin": b"b", "c.pt": b"c", "other.txt": b"d"}
    for name, content in contents.items():
        (home / name).write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    found = weights_of([Need("some-judge", "some_judge", weights=("model", "c.pt", "none.pt"))])
    wanted = ("c.pt", "model/a.bin", "model/deep/b.bin")
    assert found == {
        f"some_judge/{name}": hashlib.sha256(contents[name]).hexdigest() for name in wanted
    }


def test_packages_that_are_missing_have_none() -> None:
    assert weights_of([Need("none", "there_is_no_such_module", weights=("a",))]) == {}


@pytest.mark.parametrize("name", observers.BUILTIN)
def test_declared_weights_are_in_the_package(name: str) -> None:
    skip_if_missing([observers.missing(name)])
    needs = observers.find(name).needs
    found = weights_of(needs)
    for need in needs:
        for wanted in need.weights:
            assert any(path.startswith(f"{need.module}/{wanted}") for path in found), wanted
    learned = [
        origin for origin in observers.find(name).origins if not origin.name.startswith("f0")
    ]
    if learned and needs:
        assert found, "a network whose weights are not recorded"
