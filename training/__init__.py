"""The embedded demo fleet: checkpoints rebuilt from pinned packages, their heads, their figures."""
