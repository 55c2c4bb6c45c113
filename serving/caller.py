"""Who asks."""

from dataclasses import dataclass

from models.keys import Scope
from serving.bucket import Bucket


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, what they may, and how often; the name is empty where nobody has said."""

    name: str = ""
    scope: Scope = Scope.PREDICT
    bucket: Bucket | None = None

    def pay(self, texts: int) -> float:
        """Pay for texts; returns the seconds until they are paid for, 0 where no rate is set."""
        return self.bucket.take(texts) if self.bucket else 0.0


ANYONE = Caller()
"""Who has not said who they are."""
