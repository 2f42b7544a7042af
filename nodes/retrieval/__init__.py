"""Retrieval: content features moved towards those of a voice, by a FAISS index."""

__all__ = ["faiss", "index_file", "protect"]
