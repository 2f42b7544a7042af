"""Network layers shared by several families, packed for the processor they run on."""

__all__ = ["convolution", "packed", "short_convolution", "upsampling"]
