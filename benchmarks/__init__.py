"""One question per file; each prints what docs/ quotes."""
