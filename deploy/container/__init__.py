"""The container: how it is built, and what proves it."""
