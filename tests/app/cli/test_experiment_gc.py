"""``voicegraph experiment gc``: removes what no run has used for long, and nothing else."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from voicegraph.experiments.store import Store
from voicegraph.experiments.task import Result

from .conftest import Cli


@pytest.fixture
def store(place: Path) -> Store:
    """One result that was used now, and one of 1970."""
    store = Store(place / "store")
    for name in ("new", "old"):
        store.write(sha256(name.encode()).hexdigest(), Result({"x": np.ones(9)}))
    for path in store.files(sha256(b"old").hexdigest()):
        os.utime(path, (0, 0))
    return store


def test_it_says_what_it_would_remove_and_removes_it(cli: Cli, store: Store) -> None:
    gc = ("experiment", "gc", "--store", str(store.path))
    assert "would remove 1 results" in cli(*gc, "--dry")[1]
    assert len(list(store.keys())) == 2
    code, out, _ = cli(*gc, "--json")
    report = json.loads(out)
    assert (code, report["removed"], report["kept"], report["dry"]) == (0, 1, 1, False)
    assert list(store.keys()) == [sha256(b"new").hexdigest()]


def test_a_store_of_the_user_is_the_default(
    cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *names, **more: place / "cache")
    code, out, _ = cli("experiment", "gc")
    assert code == 0
    assert str(place / "cache" / "experiments") in out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--keep", "soon"), "such as 30d"),
        (("--store", "nowhere"), "is not a folder"),
        (("--store", "."), "holds no results"),
    ],
)
def test_mistakes_remove_nothing(
    cli: Cli, store: Store, arguments: tuple[str, ...], text: str
) -> None:
    code, _, err = cli("experiment", "gc", *arguments)
    assert code == 2
    assert text in " ".join(err.split())
    assert len(list(store.keys())) == 2
