import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bentoml.models
import pytest
from bentoml._internal.models import ModelStore

from models.errors import RegistryUnavailable
from models.identity import ModelId, Tag
from models.leases import Leases
from models.manifest import MODEL, NAME, WEIGHTS, File, Manifest
from models.routes import Routes
from models.store import Store
from registry.promote import promote
from registry.source import Promoted, Registered
from registry.syncing import sync as sync_module
from registry.syncing.journal import Journal
from registry.syncing.sync import Report, Sync, sync
from tests.fakes_registry import FakeRegistry
from tests.tiny import write_tiny

WRITES = frozenset({"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.truncate"})
KILLED = 9
PATIENCE = 30
"""Seconds of one sync in a child: a fork of a process with threads may hang."""


@pytest.fixture
def champion(registry: FakeRegistry, tmp_path: Path) -> Callable[..., Registered]:
    """Return a function that registers and promotes a tiny model."""

    def make(language: str, sure: float = 2.0, covers: tuple[str, ...] = ()) -> Registered:
        folder = tmp_path / "made" / f"{language}-{sure}"
        done = registry.register(folder, write_tiny(folder, language, sure=sure, covers=covers))
        promote(registry, language)
        return done

    return make


def whole(store: Store) -> dict[str, str]:
    """Return language -> champion, after checking that every one of them is there, whole."""
    routes = Routes.read(store.routes).languages
    for route in routes.values():
        folder = store.path(route.champion)
        Manifest.read(folder).verify(folder)
    if (store.home / "models").exists():
        bentoml.models.list(_model_store=ModelStore(store.home / "models"))
    return {language: str(route.champion.model) for language, route in routes.items()}


def test_champions_are_brought_and_routed(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """Each language is routed to its champion; a multilingual one says what it covers."""
    champion("de")
    champion("mul", covers=("en", "fr"))

    report = sync(registry, store)

    assert [str(tag.model) for tag in report.synced] == ["sentiment-de:1", "sentiment-mul:1"]
    assert report.nbytes > 0
    assert whole(store) == {"de": "sentiment-de:1", "mul": "sentiment-mul:1"}
    assert Routes.read(store.routes).languages["mul"].covers == ("en", "fr")
    served = sorted(registry.reports)  # they arrive side by side, in either order
    assert served == [(tag.model, "served", "") for tag in report.synced]


def test_nothing_to_do_downloads_nothing(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """A second sync finds all in place."""
    champion("de")
    first = sync(registry, store)
    registry.downloads.clear()

    assert sync(registry, store) == Report(unchanged=first.synced)
    assert registry.downloads == []


def test_a_new_champion_replaces_the_old_one(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """The route moves, both versions are told, and the way back downloads nothing."""
    champion("de")
    old = sync(registry, store).synced[0]
    new = champion("de", sure=3.0).model
    registry.reports.clear()
    sync(registry, store)
    assert registry.reports == [(new, "served", ""), (old.model, "replaced", "")]
    assert whole(store) == {"de": "sentiment-de:2"}
    assert store.path(old).is_dir()
    registry.downloads.clear()

    promote(registry, "de", 1)
    sync(registry, store)

    assert whole(store) == {"de": "sentiment-de:1"}
    assert registry.downloads == []
    assert registry.reports[-2:] == [(old.model, "served", ""), (new, "replaced", "")]


def test_a_language_without_alias_loses_its_route(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """Taking the alias away takes a language out of service."""
    champion("de")
    sync(registry, store)
    registry.named.clear()

    assert sync(registry, store).unrouted == ("de",)
    assert registry.reports[-1] == (ModelId("de", 1), "replaced", "")
    assert whole(store) == {}


def test_a_champion_deleted_under_its_alias_goes_on(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """MLflow drops the alias with the version: a slip of the hand must not end a service."""
    champion("de")
    sync(registry, store)
    registry.named.clear()
    registry.folders.clear()
    said: list[str] = []

    report = sync(registry, store, said.append)

    assert not report.unrouted
    assert not report.removed
    assert whole(store) == {"de": "sentiment-de:1"}
    assert "was deleted" in " ".join(said)


def flip(folder: Path) -> None:
    """Change one bit of the weights."""
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (folder / WEIGHTS).write_bytes(weights)


def empty(folder: Path) -> None:
    """Lose every file."""
    for path in folder.iterdir():
        path.unlink()


def replace(folder: Path) -> None:
    """Put another whole artifact in its place."""
    write_tiny(folder, "de", sure=9.0)


def hide(folder: Path) -> None:
    """Put a folder where the manifest is expected."""
    (folder / NAME).unlink()
    (folder / NAME).mkdir()


def cut(folder: Path) -> None:
    """Lose the connection after a third."""
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:20])
    message = "the connection was cut"
    raise RegistryUnavailable(message)


def fill(_: Path) -> None:
    """Run out of disk."""
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (flip, WEIGHTS),
        (empty, "manifest.json"),
        (replace, "manifest"),
        (hide, "Is a directory"),
        (cut, "cut"),
        (fill, "the disk is full"),
    ],
)
def test_a_bad_download_is_reported_and_the_others_go_on(
    damage: Callable[[Path], None],
    reason: str,
    registry: FakeRegistry,
    store: Store,
    champion: Callable[..., Registered],
) -> None:
    """The language keeps its route, the promoter reads why, and nl is served all the same."""
    champion("de")
    sync(registry, store)
    bad = champion("de", sure=3.0).model
    champion("nl")
    registry.damage[bad] = damage

    report = sync(registry, store)

    assert [failure.model for failure in report.failed] == [bad]
    assert reason in report.failed[0].reason
    assert whole(store) == {"de": "sentiment-de:1", "nl": "sentiment-nl:1"}
    assert (bad, "failed", report.failed[0].reason) in registry.reports
    left = [path for path in (store.home / "staging").iterdir() if path.is_dir()]
    assert bool(left) == (damage is cut)
    assert not sync(registry, store).nbytes


def test_a_model_that_does_not_answer_is_not_served(
    registry: FakeRegistry, store: Store, tmp_path: Path
) -> None:
    """Files that are as promised may still be no model: one text is tried before publishing."""
    folder = tmp_path / "made" / "de-2.0"
    manifest = write_tiny(folder, "de")
    (folder / MODEL).write_bytes(b"no graph")
    files = manifest.files | {MODEL: File.of(folder / MODEL)}
    broken = manifest.model_copy(update={"files": files})
    broken.write(folder)
    registry.register(folder, broken)
    promote(registry, "de")

    report = sync(registry, store)

    assert "does not answer" in report.failed[0].reason
    assert whole(store) == {}


def test_a_registry_that_is_away_changes_nothing(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """The service goes on from the store; the sync says that it could not look."""
    champion("de")
    sync(registry, store)
    registry.away = True

    with pytest.raises(RegistryUnavailable):
        sync(registry, store)

    assert whole(store) == {"de": "sentiment-de:1"}


def kill_at(step: int) -> None:
    """End this process, as kill -9 does, at its step-th change of the file system."""
    steps = 0
    sync_module.AT_ONCE = 1  # one after the other: each step is the same in each child

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        writes = event == "open" and set(str(arguments[1])) & set("wax+")
        steps += bool(event in WRITES or writes)
        if steps == step:
            os._exit(KILLED)

    sys.addaudithook(hook)


def killed(step: int, registry: FakeRegistry, store: Store) -> bool:
    """Run a sync in a child that is killed at a step; False where it ended before that."""
    child = os.fork()
    if not child:
        kill_at(step)
        sync(registry, store)
        os._exit(0)
    ends = time.monotonic() + PATIENCE
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > ends:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail(f"the sync hangs at step {step}")
        time.sleep(0.005)
    return os.waitstatus_to_exitcode(ended[1]) == KILLED


def latest(store: Store) -> dict[str, str]:
    """Return language -> what BentoML's `<name>:latest` is."""
    theirs = ModelStore(store.home / "models")
    found = [bentoml.models.get(f"sentiment-{name}", _model_store=theirs) for name in ("de", "nl")]
    tags = [Tag.parse(str(model.tag)) for model in found]
    return {tag.model.language: str(tag.model) for tag in tags}


def copied(store: Store, name: str) -> Store:
    """Return a copy of a store, for one death."""
    return Store(Path(shutil.copytree(store.home, store.home.with_name(name))))


def test_a_sync_killed_at_any_step_leaves_whole_models_only(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """At each change of the file system, one after the other: old or new, and then it goes on."""
    champion("de")
    sync(registry, store)
    old = {"de": "sentiment-de:1"}
    new = {"de": "sentiment-de:2", "nl": "sentiment-nl:1"}
    champion("de", sure=3.0)
    champion("nl")
    step = 1
    while killed(step, registry, copy := copied(store, f"killed at {step}")):
        assert whole(copy).items() <= old.items() | new.items()
        assert "de" in whole(copy)
        sync(registry, copy)
        assert whole(copy) == new
        assert latest(copy) == new
        assert [(move.before, move.after) for move in Journal.of(copy).moves("de")][-1] == (1, 2)
        step += 1

    assert step > 20


def test_an_alias_moved_during_the_download_wins(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """What the registry says when the files are here counts, not what it said before."""
    champion("de")
    sync(registry, store)
    second = champion("de", sure=3.0).model

    def promoted_meanwhile(_: Path) -> None:
        champion("de", sure=4.0)

    registry.damage[second] = promoted_meanwhile

    sync(registry, store)

    assert whole(store) == {"de": "sentiment-de:3"}


def test_a_mistyped_alias_is_pointed_out(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """MLflow takes `Champion` for another alias; its version says why nothing moved."""
    champion("de")
    typed = champion("de", sure=3.0).model
    promote(registry, "de", 1)
    registry.strange["de"] = {"Champion": typed.version}
    said: list[str] = []

    sync(registry, store, said.append)

    assert whole(store) == {"de": "sentiment-de:1"}
    assert "alias 'Champion' of sentiment-de:2 means nothing" in " ".join(said)
    assert "means nothing" in registry.tags[typed]["serving.hint"]


def test_what_passed_the_gate_is_here_before_anyone_promotes_it(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """It is staged, not routed; a promotion then downloads nothing."""
    champion("de")
    newest = champion("de", sure=3.0).model
    promote(registry, "de", 1)
    sync(registry, store)
    assert whole(store) == {"de": "sentiment-de:1"}
    assert registry.tags[newest]["serving.state"] == "staged"
    registry.downloads.clear()

    promote(registry, "de", 2)
    sync(registry, store)

    assert whole(store) == {"de": "sentiment-de:2"}
    assert registry.downloads == []


def test_only_the_champion_before_is_kept(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """A step back costs no download; older versions make room, unless a service has them."""
    tags: list[Tag] = []
    for sure in (2.0, 3.0, 4.0, 5.0):
        champion("de", sure=sure)
        tags += sync(registry, store).synced
        if sure == 3.0:
            lease = Leases(store).use(tags[1])

    assert [store.path(tag).exists() for tag in tags] == [False, True, True, True]
    assert lease is not None
    lease.release()
    assert sync(registry, store).removed == (tags[1],)


def test_a_challenger_gets_its_share(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """The route names both; the versions and the journal say what each is."""
    champion("de")
    two = champion("de", sure=3.0).model
    promote(registry, "de", 1)
    promote(registry, "de", 2, "challenger")
    registry.split("de", 0.1, shadow=True)

    sync(registry, store)

    route = Routes.read(store.routes).languages["de"]
    assert route.challenger is not None
    assert (route.challenger.model, route.share, route.shadow) == (two, 0.1, True)
    assert registry.tags[two]["serving.state"] == "challenging"
    assert [move.alias for move in Journal.of(store).moves("de")] == ["champion", "challenger"]


def test_two_syncs_at_once_are_one(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """Each version is fetched once; the second waits for what the first is fetching."""
    for language in ("de", "nl", "th"):
        champion(language)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: sync(registry, store), range(2)))

    assert [report.failed for report in reports] == [(), ()]
    assert sorted(map(str, registry.downloads)) == [
        "sentiment-de:1",
        "sentiment-nl:1",
        "sentiment-th:1",
    ]
    assert len(whole(store)) == 3
    assert len(list(Journal.of(store).moves())) == 3


def test_a_half_item_in_the_store_is_replaced(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """Something else wrote it; BentoML can't even list the store until the sync has been there."""
    champion("de")
    (tag,) = sync(registry, store).synced
    (store.path(tag) / "model.yaml").unlink()
    (store.path(tag) / WEIGHTS).unlink()

    report = sync(registry, store)

    assert report.synced == (tag,)
    assert whole(store) == {"de": "sentiment-de:1"}


def test_a_champion_deleted_before_it_could_be_brought_ends_nothing(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """Version 2 is promoted, refused and deleted, and its alias with it: version 1 goes on."""
    champion("de")
    sync(registry, store)
    bad = champion("de", sure=3.0).model
    registry.damage[bad] = flip
    sync(registry, store)
    registry.named.clear()
    del registry.folders[bad]

    report = sync(registry, store)

    assert report.unrouted == ()
    assert whole(store) == {"de": "sentiment-de:1"}


def test_what_another_sync_has_just_brought_is_not_fetched_again(
    registry: FakeRegistry, store: Store, champion: Callable[..., Registered]
) -> None:
    """A plan may be older than the store; a whole model in it is never put aside."""
    done = champion("de")
    (tag,) = sync(registry, store).synced
    before = store.path(tag).stat().st_ino
    registry.downloads.clear()

    found = Sync(registry, store).fetch(Promoted(done.model, done.digest))

    assert found is None
    assert registry.downloads == []
    assert store.path(tag).stat().st_ino == before


def test_a_version_that_names_the_stores_own_files_is_refused(
    registry: FakeRegistry, store: Store, tmp_path: Path
) -> None:
    """Else the store would write over what the manifest vouches for, and fetch it for ever."""
    folder = tmp_path / "made"
    manifest = write_tiny(folder, "de")
    (folder / "model.yaml").write_text("mine")
    files = manifest.files | {"model.yaml": File.of(folder / "model.yaml")}
    manifest = manifest.model_copy(update={"files": files})
    manifest.write(folder)
    registry.register(folder, manifest)
    promote(registry, "de")

    (failure,) = sync(registry, store).failed

    assert "model.yaml" in failure.reason
