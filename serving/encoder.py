"""Text to token ids, as its model takes them."""

import asyncio

from models.errors import ManifestInvalid, ModelUnavailable
from models.identity import Tag
from models.manifest import Manifest
from models.openers import OpenTokenizer, Vocabulary
from models.residency import Residency
from models.store import Store
from serving.call import Call

INLINE_CHARS = 2_000
"""Longest text whose tokens are made on the event loop, in under a millisecond."""


class Encoder:
    """Encodes with the tokenizer that models share by content; the model itself may be cold."""

    def __init__(self, store: Store, tokenizers: Residency[Vocabulary, OpenTokenizer]) -> None:
        """Take where the manifests lie, and what opens the tokenizers."""
        self._store = store
        self._tokenizers = tokenizers
        self._reads: dict[Tag, tuple[Vocabulary, int]] = {}
        self._used: set[Vocabulary] = set()

    async def __call__(self, tag: Tag, text: str, call: Call) -> list[int]:
        """Return the ids of a text, cut to what the model takes; raises ModelUnavailable."""
        vocabulary, most = self._reads.get(tag) or await self._read(tag)
        async with self._tokenizers.lease(vocabulary, call.deadline) as opened:
            encode = opened.tokenizer.encode
            if len(text) <= INLINE_CHARS:
                [row] = encode([text], most)
            else:
                [row] = await asyncio.to_thread(encode, [text], most)
            return row

    async def vocabulary(self, tag: Tag) -> Vocabulary:
        """Return the tokenizer that a model uses."""
        vocabulary, _ = self._reads.get(tag) or await self._read(tag)
        return vocabulary

    def retain(self, wanted: frozenset[Tag]) -> None:
        """Forget the manifests of all others, and let the tokenizers go that only they use."""
        for tag in [tag for tag in self._reads if tag not in wanted]:
            del self._reads[tag]
        self._used = {vocabulary for vocabulary, _ in self._reads.values()}
        self._tokenizers.retain(self._used)  # the set itself: `_read` adds to it

    async def _read(self, tag: Tag) -> tuple[Vocabulary, int]:
        folder = self._store.path(tag)
        try:
            manifest = await asyncio.to_thread(Manifest.read, folder)
        except ManifestInvalid as error:
            message = f"{tag.model} can't be opened: its manifest is missing or invalid"
            raise ModelUnavailable(message) from error
        self._reads[tag] = Vocabulary.of(folder, manifest), manifest.max_tokens
        self._used.add(self._reads[tag][0])
        return self._reads[tag]
