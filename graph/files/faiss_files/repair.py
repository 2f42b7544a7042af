"""Lines to type that turn an index that cannot be used into one that can.

They run FAISS on a file that is not checked here, in a Python of its own: the user says so by
typing them.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

_OPEN = "import faiss,numpy,sys; a,b=sys.argv[1:]; m=faiss.read_index(a); "
_OPEN_CONVERTED = (
    "import faiss,numpy,sys; from safetensors.numpy import load_file; a,b=sys.argv[1:]; "
    "m=faiss.deserialize_index(load_file(a)['index']); "
)
_INNER = "i=faiss.downcast_index(m.index) if hasattr(m,'id_map') else m; "
"""An identifier map gives no vectors back by their position, and its identifiers are not used."""
_VECTORS = "v=numpy.full((i.ntotal,i.d),numpy.nan,'float32'); i.reconstruct_n(0,i.ntotal,v); "
"""Those that it does not give back, since their identifiers have gaps, remain NaN."""
_BUILD = (
    "v=v[(v==v).all(1)]; k=max(1,min(int(16*len(v)**.5),len(v)//39)); "
    "n=faiss.index_factory(v.shape[1],'IVF'+str(k)+',Flat'); n.train(v); n.add(v); "
    "faiss.write_index(n,b)"
)
"""As RVC's training builds it, without the vectors that hold NaN."""
_FEATURES = "total_fea.npy"


def converting_line(path: Path) -> str:
    """Builds an index anew from the vectors that FAISS gives back from this one."""
    code = _opened(path) + _VECTORS + _BUILD
    return f"convert it to IVF,Flat with: {_line(code, str(path), _new(path))}"


def rebuilding_line(path: Path) -> str:
    """Builds an index from the features that it was made of."""
    return (
        "build it anew from the features that it was made of, which RVC's training keeps as "
        f"{_FEATURES}: voicegraph index make {_FEATURES} {_quoted(_new(path))}"
    )


def recounting_line(path: Path) -> str:
    """Writes an index anew with the number of vectors that its lists hold."""
    count = (
        "l=faiss.extract_index_ivf(i); i.ntotal=l.ntotal=l.invlists.compute_ntotal(); "
        "faiss.write_index(i,b)"
    )
    return f"write it anew without them: {_line(_opened(path) + count, str(path), _new(path))}"


def _opened(path: Path) -> str:
    return (_OPEN_CONVERTED if path.suffix == ".safetensors" else _OPEN) + _INNER


def _new(path: Path) -> str:
    return str(path.with_name(f"{path.stem}_ivf.index"))


def _quoted(name: str) -> str:
    return subprocess.list2cmdline([name]) if os.name == "nt" else shlex.quote(name)


def _line(code: str, *names: str) -> str:
    """A command line of this Python; the code has no double quotes."""
    if os.name == "nt":
        return subprocess.list2cmdline([sys.executable, "-c", code, *names])
    before, *after = (shlex.quote(word) for word in (sys.executable, *names))
    return f'{before} -c "{code}" {" ".join(after)}'
