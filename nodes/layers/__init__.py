"""Network layers that several families share, with weights packed for the CPU."""

__all__ = ["convolution", "packed", "short_convolution", "upsampling"]
