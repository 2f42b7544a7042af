"""ONNX files, opened without trusting them: headers, refusals, random numbers as inputs.

``read_header`` reads what a file says of itself without onnx, onnxruntime or its weights, and
refuses what no runtime should see. ``signatures`` tells the networks that people have apart by the
names and shapes of their inputs and outputs. ``load`` reads a whole file into memory, checks it
there, and turns its random operators into inputs.
"""

__all__ = ["builder", "header", "load", "random_inputs", "signatures"]
