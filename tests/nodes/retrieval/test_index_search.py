"""Memory and threads of an index in use."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import faiss
import numpy as np
import pytest
import torch

from voicegraph.nodes.retrieval._faiss_example import vectors, with_lists
from voicegraph.nodes.retrieval._index_search import open_index

pytestmark = pytest.mark.numeric

LINUX = sys.platform == "linux"
_MEASURE = """
import sys
from pathlib import Path
import numpy as np
from voicegraph.nodes.retrieval._index_search import open_index

def private():
    return int(next(l for l in open("/proc/self/status") if l.startswith("RssAnon")).split()[1])

query = np.ones((28, 256), np.float32)
open_index(Path(sys.argv[1]), None).search(query, 8)  # what libraries take at first
before = private()
stored = open_index(Path(sys.argv[2]), 8)
for _ in range(5):
    stored.search(query, 8)
print("grown", private() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not LINUX, reason="reads /proc")
def test_vectors_are_not_held_in_memory_of_their_own(tmp_path: Path) -> None:
    stored = vectors(40_000, 256)
    faiss.write_index(with_lists(stored[:100], 8), str(tmp_path / "small.index"))
    faiss.write_index(with_lists(stored, 64), str(tmp_path / "large.index"))
    command = [sys.executable, "-c", _MEASURE, str(tmp_path / "small.index")]
    done = subprocess.run(
        [*command, str(tmp_path / "large.index")], capture_output=True, text=True, check=True
    )
    (grown,) = re.findall(r"grown (-?\d+)", done.stdout)
    assert int(grown) < 4000  # kB; the vectors are 40,000 kB


def test_the_index_is_let_go_with_its_last_user(build) -> None:
    path = build("IVF8,Flat")
    first = open_index(path, None)
    assert open_index(path, None) is first
    mapped = weakref.ref(first._bytes)
    del first
    assert mapped() is None


def test_searches_use_the_threads_that_pytorch_uses(build) -> None:
    stored = open_index(build("IVF8,Flat"), None)
    before = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            stored.search(vectors(28, 16), 8)
            assert faiss.omp_get_max_threads() == count
    finally:
        torch.set_num_threads(before)
        faiss.omp_set_num_threads(before)


def test_the_number_of_threads_changes_no_number(build) -> None:
    stored = open_index(build("IVF8,Flat"), None)
    queries = vectors(70, 16, seed=3)
    before, found = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(stored.search(queries, 8))
    finally:
        torch.set_num_threads(before)
        faiss.omp_set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_several_threads_may_search_at_once(build) -> None:
    stored = open_index(build("HNSW8"), None)
    queries = vectors(40, 16, seed=3)
    expected = stored.search(queries, 8)
    wrong: list[int] = []

    def search(number: int) -> None:
        for _ in range(20):
            found = stored.search(queries, 8)
            if not all(map(np.array_equal, found, expected)):
                wrong.append(number)

    workers = [threading.Thread(target=search, args=(n,)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
