"""One at a time, between processes."""

from models.disk import locked

__all__ = ["locked"]
