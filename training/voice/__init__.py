"""Makes source-filter voices out of speech: contours, perturbed copies, features, training, file.

The outermost room: nothing but the command line knows it. ``training/``, which stands beside the
package, makes the voices that come with voicegraph by the same steps.
"""
