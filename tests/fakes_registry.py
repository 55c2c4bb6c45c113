"""A registry with a memory, for tests of what is done with one."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import RegistryUnavailable
from models.identity import ModelId
from models.manifest import NAME, Manifest
from registry.mlflow.text import DIGEST
from registry.source import Alias, Aliases, Promoted, Registered, Registry, Version

Damage = Callable[[Path], None]


@dataclass
class FakeRegistry:
    folders: dict[ModelId, Path] = field(default_factory=dict)
    digests: dict[ModelId, str] = field(default_factory=dict)
    named: dict[tuple[str, Alias], ModelId] = field(default_factory=dict)
    splits: dict[str, tuple[float, bool]] = field(default_factory=dict)
    strange: dict[str, dict[str, int]] = field(default_factory=dict)
    tags: dict[ModelId, dict[str, str]] = field(default_factory=dict)
    downloads: list[ModelId] = field(default_factory=list)
    reports: list[tuple[ModelId, str, str]] = field(default_factory=list)
    damage: dict[ModelId, Damage] = field(default_factory=dict)
    subscribers: dict[str, str] = field(default_factory=dict)
    away: bool = False

    def register(self, folder: Path, manifest: Manifest) -> Registered:
        self._answer()
        for model, digest in self.digests.items():
            same = (model.language, digest) == (manifest.language, manifest.digest)
            if same and (self.folders[model] / NAME).is_file():
                return Registered(model, digest, new=False)
        newest = max(
            (old.version for old in self.folders if old.language == manifest.language), default=0
        )
        model = ModelId(manifest.language, newest + 1)
        self.folders[model] = folder
        self.digests[model] = manifest.digest
        return Registered(model, manifest.digest, new=True)

    def versions(self, language: str) -> list[Version]:
        self._answer()
        models = sorted(
            (model for model in self.folders if model.language == language), reverse=True
        )
        return [Version(model, 0.0, self._tags(model)) for model in models]

    def promote(self, model: ModelId, alias: Alias) -> None:
        self._answer()
        if model not in self.folders:
            message = f"no {model}"
            raise RegistryUnavailable(message)
        self.named[model.language, alias] = model

    def withdraw(self, language: str, alias: Alias) -> None:
        self._answer()
        self.named.pop((language, alias), None)

    def split(self, language: str, share: float, *, shadow: bool) -> None:
        self._answer()
        self.splits[language] = share, shadow

    def note(self, model: ModelId, tags: Mapping[str, str]) -> None:
        self._answer()
        self.tags.setdefault(model, {}).update(tags)
        if "serving.state" in tags:
            self.reports.append((model, tags["serving.state"], tags.get("serving.error", "")))

    def aliases(self) -> Mapping[str, Aliases]:
        self._answer()
        return {language: self._aliases(language) for language in self._languages()}

    def download(self, model: ModelId, into: Path) -> None:
        self._answer()
        self.downloads.append(model)
        shutil.copytree(self.folders[model], into, dirs_exist_ok=True)
        if model in self.damage:
            self.damage[model](into)

    def nbytes(self, model: ModelId) -> int:
        self._answer()
        return sum(path.stat().st_size for path in self.folders[model].iterdir())

    def subscribe(self, url: str, secret: str) -> None:
        self._answer()
        self.subscribers[url] = secret

    def _tags(self, model: ModelId) -> dict[str, str]:
        known = {DIGEST: self.digests[model]} if model in self.digests else {}
        return known | self.tags.get(model, {})

    def _languages(self) -> set[str]:
        return {model.language for model in self.folders} | {language for language, _ in self.named}

    def _aliases(self, language: str) -> Aliases:
        newest = max((model for model in self.folders if model.language == language), default=None)
        share, shadow = self.splits.get(language, (0.0, False))
        return Aliases(
            champion=self._promoted(self.named.get((language, "champion"))),
            challenger=self._promoted(self.named.get((language, "challenger"))),
            share=share,
            shadow=shadow,
            newest=self._promoted(newest),
            strange=self.strange.get(language, {}),
        )

    def _promoted(self, model: ModelId | None) -> Promoted | None:
        return Promoted(model, self.digests.get(model)) if model else None

    def _answer(self) -> None:
        if self.away:
            message = "MLflow does not answer"
            raise RegistryUnavailable(message)


_: type[Registry] = FakeRegistry
