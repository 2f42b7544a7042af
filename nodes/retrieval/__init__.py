"""Retrieval: mixes content features with nearest neighbours from a voice's FAISS index."""

__all__ = ["blending", "faiss", "index_file", "index_search", "protect", "usable_index"]
