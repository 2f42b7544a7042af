"""Network layers that several families share, and the forms in which weights are held.

``network`` builds networks plain and brings them into a form; ``form`` names the forms; ``packed``
and the convolutions are packed layers for the CPU.
"""

__all__ = [
    "convolution",
    "form",
    "grouped_convolution",
    "linear",
    "network",
    "packed",
    "short_convolution",
    "upsampling",
]
