"""The reference runtime of a bundle: NumPy, ONNX Runtime, FAISS and soxr, and never PyTorch.

API: ``open_bundle`` reads and checks a bundle, ``Runtime`` runs its plan block by block,
``convert_file`` a sound file, and ``check_bundle`` compares with the values in the bundle.
"""

from .check import check_bundle
from .conversion import convert_file
from .folder import Bundle, open_bundle
from .runtime import Runtime

__all__ = ["Bundle", "Runtime", "check_bundle", "convert_file", "open_bundle"]
