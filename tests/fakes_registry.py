"""A registry with a memory, for tests of what is done with one."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import RegistryUnavailable
from models.identity import ModelId
from models.manifest import NAME, Manifest
from registry.source import Alias, Promoted, Registered, Registry, State

Damage = Callable[[Path], None]


@dataclass
class FakeRegistry:
    folders: dict[ModelId, Path] = field(default_factory=dict)
    digests: dict[ModelId, str] = field(default_factory=dict)
    aliases: dict[tuple[str, Alias], ModelId] = field(default_factory=dict)
    downloads: list[ModelId] = field(default_factory=list)
    reports: list[tuple[ModelId, State, str]] = field(default_factory=list)
    damage: dict[ModelId, Damage] = field(default_factory=dict)
    away: bool = False

    def register(self, folder: Path, manifest: Manifest) -> Registered:
        self._answer()
        for model, digest in self.digests.items():
            same = (model.language, digest) == (manifest.language, manifest.digest)
            if same and (self.folders[model] / NAME).is_file():
                return Registered(model, digest, new=False)
        newest = self.newest(manifest.language)
        model = ModelId(manifest.language, newest.version + 1 if newest else 1)
        self.folders[model] = folder
        self.digests[model] = manifest.digest
        return Registered(model, manifest.digest, new=True)

    def newest(self, language: str) -> ModelId | None:
        self._answer()
        return max((model for model in self.folders if model.language == language), default=None)

    def promote(self, model: ModelId, alias: Alias) -> None:
        self._answer()
        if model not in self.folders:
            message = f"no {model}"
            raise RegistryUnavailable(message)
        self.aliases[model.language, alias] = model

    def champions(self) -> Mapping[str, Promoted]:
        self._answer()
        return {
            language: Promoted(model, self.digests.get(model))
            for (language, alias), model in self.aliases.items()
            if alias == "champion"
        }

    def download(self, model: ModelId, into: Path) -> None:
        self._answer()
        self.downloads.append(model)
        shutil.copytree(self.folders[model], into, dirs_exist_ok=True)
        if model in self.damage:
            self.damage[model](into)

    def report(self, model: ModelId, state: State, error: str = "") -> None:
        self._answer()
        self.reports.append((model, state, error))

    def _answer(self) -> None:
        if self.away:
            message = "MLflow does not answer"
            raise RegistryUnavailable(message)


_: type[Registry] = FakeRegistry
