"""Retrieval: mixes content features with nearest neighbours from a voice's FAISS index."""

__all__ = ["faiss", "index_file", "protect"]
