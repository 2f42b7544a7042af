"""Makes the voices that come with voicegraph, from nothing but packages of public registries.

Stands beside the package and is no part of it; see README.md.
"""
