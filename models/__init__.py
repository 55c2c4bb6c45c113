"""What is served: identity, manifest, tokenizers, engines, residency.

Imports no other package of ours.
"""
