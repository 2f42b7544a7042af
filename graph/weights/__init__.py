"""Files of weights: opened without trust, read when needed, held once a process.

``open_archive`` reads headers; ``Archive.read`` brings tensors; ``fit`` puts them into a module;
``shared`` and ``shared_file`` hold what was made for as long as it is used. ``kinds`` knows what
sorts of files there are.
"""

from ..errors import WeightsError
from .archive import Archive, open_archive
from .fitting import fit
from .headers import TensorHeader
from .identify import Identified, identify
from .kinds import FileKind, kinds
from .permitted import Inert
from .sharing import shared, shared_file

__all__ = [
    "Archive",
    "FileKind",
    "Identified",
    "Inert",
    "TensorHeader",
    "WeightsError",
    "fit",
    "identify",
    "kinds",
    "open_archive",
    "shared",
    "shared_file",
]
