"""Network layers that several families share, and the forms in which weights are held.

``network`` builds networks plain and brings them into a form; ``form`` names the forms; ``packed``
and the convolutions are packed layers for the CPU, ``half_linear`` and ``int8_linear`` those with
weights of 16 and 8 bits;
``precision_trial`` finds out which are fastest. ``onnx_file`` and ``onnx_session`` describe and run
networks in ONNX files. ``spectrum`` has transforms in real arithmetic, ``mel_filters`` the bands of
mel spectra, and ``exported_stream`` what the exports of nodes with state share.
"""

__all__ = [
    "convolution",
    "depthwise",
    "exported_stream",
    "form",
    "grouped_convolution",
    "half_linear",
    "image_convolution",
    "int8_linear",
    "linear",
    "mel_filters",
    "network",
    "onnx_file",
    "onnx_session",
    "packed",
    "packed_grouped_convolution",
    "packers",
    "precision_trial",
    "short_convolution",
    "spectrum",
    "upsampling",
    "valid_convolution",
]
