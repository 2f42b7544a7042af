"""Layers that networks of several families are made of, as fast as the processor has them."""
