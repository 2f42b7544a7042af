"""FAISS's names of index types by the four characters that begin their files."""

from __future__ import annotations

SUPPORTED = {
    "IxF2": "IndexFlatL2",
    "IxFI": "IndexFlatIP",
    "IxFl": "IndexFlat",
    "IwFl": "IndexIVFFlat",
    "IwSQ": "IndexIVFScalarQuantizer",
    "IwSq": "IndexIVFScalarQuantizer",
    "IwPQ": "IndexIVFPQ",
    "IHNf": "IndexHNSWFlat",
    "IxMp": "IndexIDMap",
    "IxM2": "IndexIDMap2",
    "IxPT": "IndexPreTransform",
}
"""Types that are read, each at its place: IndexHNSWFlat as a coarse quantizer only."""

CONVERTIBLE = {
    "IxSQ": "IndexScalarQuantizer",
    "IxPq": "IndexPQ",
    "IxPQ": "IndexPQ in an old format",
    "IxPo": "IndexPQ in an old format",
    "IxRq": "IndexResidualQuantizer",
    "IxRQ": "IndexResidualQuantizer in an old format",
    "IxLS": "IndexLocalSearchQuantizer",
    "IxPR": "IndexProductResidualQuantizer",
    "IxPL": "IndexProductLocalSearchQuantizer",
    "Ixrq": "IndexRaBitQ",
    "Ixrr": "IndexRaBitQ",
    "IxEe": "IndexEDEN",
    "IxFP": "IndexFlatL2Panorama",
    "Ix2L": "Index2Layer",
    "IxRF": "IndexRefine",
    "IxRP": "IndexRefinePanorama",
    "IHNs": "IndexHNSWSQ",
    "IHNp": "IndexHNSWPQ",
    "IHNr": "IndexHNSWRaBitQ",
    "IHfP": "IndexHNSWFlatPanorama",
    "IHNc": "IndexHNSWCagra in an old format",
    "IHc2": "IndexHNSWCagra",
    "INSf": "IndexNSGFlat",
    "INSs": "IndexNSGSQ",
    "INSp": "IndexNSGPQ",
    "INNf": "IndexNNDescentFlat",
    "Imiq": "MultiIndexQuantizer",
    "ImRQ": "ResidualCoarseQuantizer",
    "IvFl": "IndexIVFFlat in an old format",
    "IvFL": "IndexIVFFlat in an old format",
    "IvSQ": "IndexIVFScalarQuantizer in an old format",
    "IvPQ": "IndexIVFPQ in an old format",
    "IvQR": "IndexIVFPQR in an old format",
    "IwQR": "IndexIVFPQR",
    "IwPn": "IndexIVFFlatPanorama in an old format",
    "IwP2": "IndexIVFFlatPanorama",
    "IwRQ": "IndexIVFResidualQuantizer",
    "IwLS": "IndexIVFLocalSearchQuantizer",
    "IwPR": "IndexIVFProductResidualQuantizer",
    "IwPL": "IndexIVFProductLocalSearchQuantizer",
    "Iwrq": "IndexIVFRaBitQ",
    "Iwrr": "IndexIVFRaBitQ",
    "IwEe": "IndexIVFEDEN",
}
"""Types that are not read, from which FAISS's ``reconstruct_n`` gives the vectors."""

WITHOUT_VECTORS = {
    "IPfs": "IndexPQFastScan",
    "IRfs": "IndexResidualQuantizerFastScan",
    "ILfs": "IndexLocalSearchQuantizerFastScan",
    "IPRf": "IndexProductResidualQuantizerFastScan",
    "IPLf": "IndexProductLocalSearchQuantizerFastScan",
    "Irfs": "IndexRaBitQFastScan in an old format",
    "Irfn": "IndexRaBitQFastScan",
    "IwPf": "IndexIVFPQFastScan",
    "IVRf": "IndexIVFResidualQuantizerFastScan",
    "IVLf": "IndexIVFLocalSearchQuantizerFastScan",
    "NPRf": "IndexIVFProductResidualQuantizerFastScan",
    "NPLf": "IndexIVFProductLocalSearchQuantizerFastScan",
    "Iwrf": "IndexIVFRaBitQFastScan in an old format",
    "Iwrn": "IndexIVFRaBitQFastScan",
    "IxHE": "IndexLSH in an old format",
    "IxHe": "IndexLSH",
    "IxLa": "IndexLattice",
    "IHN2": "IndexHNSW2Level",
    "IRMf": "IndexRowwiseMinMax",
    "IRMh": "IndexRowwiseMinMaxFP16",
    "IwFd": "IndexIVFFlatDedup",
    "IwSh": "IndexIVFSpectralHash",
    "IwIQ": "IndexIVFIndependentQuantizer",
    "IBxF": "IndexBinaryFlat",
    "IBFf": "IndexBinaryFromFloat",
    "IBHf": "IndexBinaryHNSW",
    "IBHc": "IndexBinaryHNSWCagra",
    "IBHh": "IndexBinaryHash",
    "IBHm": "IndexBinaryMultiHash",
    "IBMp": "IndexBinaryIDMap",
    "IBM2": "IndexBinaryIDMap2",
    "IBwF": "IndexBinaryIVF",
}
"""Types that are not read, from which FAISS 1.15 gives no vectors, wrong ones, or crashes."""

NAMES = {**SUPPORTED, **CONVERTIBLE, **WITHOUT_VECTORS}


def begins_index(magic: bytes) -> bool:
    """Whether a file that begins with these four bytes may be a FAISS index."""
    return magic[:4].decode("latin-1") in NAMES
