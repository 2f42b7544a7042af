"""The WORLD vocoder (Morise, Yokomori and Ozawa 2016), through pyworld."""

__all__ = ["analyze", "synthesize", "world_library"]
