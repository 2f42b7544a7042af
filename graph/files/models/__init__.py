"""Files of weights: opened without trust, read when needed, held once a process.

``open_archive`` reads headers; ``Archive.read`` brings tensors; ``fit`` puts them into a module;
``shared`` and ``shared_file`` hold what was made for as long as it is used. ``kinds`` knows what
sorts of files there are.
"""

from ...errors import WeightsError
from ._archive import Archive, open_archive
from ._cache import shared, shared_file
from ._pickle_allowlist import Inert
from ._tensor_headers import TensorHeader
from .identify import Identified, identify
from .kinds import FileKind, kinds
from .load_state import fit
from .model_file import ModelFile

__all__ = [
    "Archive",
    "FileKind",
    "Identified",
    "Inert",
    "ModelFile",
    "TensorHeader",
    "WeightsError",
    "fit",
    "identify",
    "kinds",
    "open_archive",
    "shared",
    "shared_file",
]
