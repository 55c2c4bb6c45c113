"""Which requests the challenger answers: the same ones each time."""

from hashlib import blake2b

DIGEST_BYTES = 8


def falls(language: str, key: str, share: float) -> bool:
    """Say whether a request belongs to the share of a language that the challenger answers.

    The same key gets the same answer; whoever is in a share is in every larger one. Languages
    are split independently of one another.
    """
    said = f"{language}\0{key}".encode("utf-8", "surrogatepass")
    place = int.from_bytes(blake2b(said, digest_size=DIGEST_BYTES).digest(), "big")
    return place < share * (1 << 8 * DIGEST_BYTES)
