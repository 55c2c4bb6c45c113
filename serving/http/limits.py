"""What one request may take."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a body, seconds until it is there, and seconds until the answer is."""

    body_bytes: int
    seconds: float
    upload_seconds: float = math.inf
