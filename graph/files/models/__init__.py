"""Model files: opened without trusting them, read on demand, cached in the process.

``open_archive`` reads headers, ``Archive.read`` reads tensors, and ``load_state`` loads them into a
module. ``shared`` and ``shared_file`` cache a result while it is in use. ``ModelFile`` is the base
of each kind of file; ``kinds`` lists all kinds.
"""

from ...errors import WeightsError
from ...model_folder import model_folder
from ...terminal_text import printable
from ._archive import Archive, open_archive
from ._cache import shared, shared_file
from ._pickle_allowlist import Inert
from ._tensor_headers import TensorHeader
from .identify import Identified, identify
from .kinds import FileKind, kinds
from .load_state import load_state
from .model_file import ModelFile

__all__ = [
    "Archive",
    "FileKind",
    "Identified",
    "Inert",
    "ModelFile",
    "TensorHeader",
    "WeightsError",
    "identify",
    "kinds",
    "load_state",
    "model_folder",
    "open_archive",
    "printable",
    "shared",
    "shared_file",
]
