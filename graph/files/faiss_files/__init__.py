"""FAISS indexes in files, checked before FAISS reads them; nothing here needs PyTorch.

``index_bytes`` finds and reads an index, and says whether retrieval can use it; ``layout`` is what
its headers say, ``repair`` what to type about one that cannot be used. ``load`` gives the checked
bytes to FAISS.
"""

__all__ = ["index_bytes", "layout", "load", "repair"]
