"""Vector transforms before an index, in a FAISS file."""

from __future__ import annotations

from ._cursor import Cursor, MalformedError
from ._index_layout import Unsupported, UnsupportedIndexError

_ONE_WAY = {"Viqm": "ITQ", "Viqt": "ITQ"}
"""Transforms without an inverse."""


def transform(cursor: Cursor) -> tuple[int, int]:
    """Skips a vector transform, and returns its input and output dimension."""
    code = cursor.code()
    matrix = mapped = mean = None
    biased = bias = 0
    if code in ("PcAm", "Pcam"):
        cursor.take("fBi" if code == "PcAm" else "ffBi")
        for what in ("mean", "eigenvalues", "principal components"):
            cursor.skip_array(4, f"values of {what}")
    if code in ("LTra", "rrot", "PcAm", "Pcam"):
        (biased,) = cursor.take("B")
        matrix = cursor.skip_array(4, "values of a matrix")
        bias = cursor.skip_array(4, "values of a bias")
    elif code == "RmDT":
        mapped = cursor.array("<i4", "dimensions of a map")
    elif code == "VNrm":
        cursor.take("f")
    elif code == "VCnt":
        mean = cursor.skip_array(4, "values of a mean")
    elif code == "HRot":
        cursor.take("I")
    elif code in _ONE_WAY:
        what = (
            f"IndexPreTransform by {_ONE_WAY[code]}, which FAISS cannot undo to give vectors back"
        )
        raise UnsupportedIndexError(Unsupported(what))
    else:
        raise UnsupportedIndexError(
            Unsupported(f"IndexPreTransform by {code!r}, which is not known here")
        )
    wide_in, wide_out, trained = cursor.take("iiB")
    if not trained:
        return wide_in, wide_out  # it is empty; FAISS refuses to use it
    sound = wide_in > 0 and wide_out > 0
    if matrix is not None:
        sound &= matrix == wide_in * wide_out and (not biased or bias == wide_out)
    elif mapped is not None:
        sound &= mapped.size == wide_out
        sound &= bool(((mapped >= -1) & (mapped < wide_in)).all())
    elif code == "HRot":
        sound = sound and wide_out == 1 << (wide_in - 1).bit_length()
    else:
        sound &= wide_in == wide_out and mean in (None, wide_in)
    if not sound:
        raise MalformedError(f"what turns its vectors does not fit itself ({code})")
    return wide_in, wide_out
