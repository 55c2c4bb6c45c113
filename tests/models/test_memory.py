import mmap
from pathlib import Path

import pytest

from models import memory


def files(folder: Path, **texts: str) -> None:
    """Write files; `a__b` is `a/b` and the folder is made."""
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_least_limit_on_the_way_up_counts(tmp_path: Path) -> None:
    """A pod's limit holds though the container's own group has none (cgroup 2)."""
    files(tmp_path, proc__cgroup="0::/pod/box\n")
    files(tmp_path, cg__pod__memory_dot_max="1048576\n", cg__pod__box__memory_dot_max="max\n")

    assert memory.limit(tmp_path / "proc", tmp_path / "cg") == 2**20


def test_first_version_of_cgroups_is_read_too(tmp_path: Path) -> None:
    """Controllers have trees of their own there."""
    files(tmp_path, proc__cgroup="4:memory:/box\n3:cpu,cpuacct:/box\n")
    files(tmp_path, cg__memory__box__memory_dot_limit_in_bytes="4096")
    files(tmp_path, cg__cpu__box__cpu_dot_cfs_quota_us="50000")
    files(tmp_path, cg__cpu__box__cpu_dot_cfs_period_us="100000")

    assert memory.limit(tmp_path / "proc", tmp_path / "cg") == 4096
    assert memory.cores(tmp_path / "proc", tmp_path / "cg") == 1


@pytest.mark.parametrize(("quota", "cores"), [("50000 100000", 1), ("max 100000", None)])
def test_cores_stay_within_the_quota(tmp_path: Path, quota: str, cores: int | None) -> None:
    """Half a core is one thread; no quota is the machine's cores."""
    files(tmp_path, proc__cgroup="0::/\n", cg__cpu_dot_max=quota)

    found = memory.cores(tmp_path / "proc", tmp_path / "cg")
    assert found == (cores or memory.cores(tmp_path / "none", tmp_path / "none"))


def test_without_cgroups_the_machine_counts(tmp_path: Path) -> None:
    """Nothing is there to read."""
    assert memory.limit(tmp_path, tmp_path) > 2**28
    assert memory.private(tmp_path) == memory.mapped(tmp_path, tmp_path) == 0


def test_only_touched_pages_of_the_folder_count(tmp_path: Path) -> None:
    """A mapped file takes what was read of it, and nothing once it is closed."""
    path = tmp_path / "a file"
    path.write_bytes(bytes(2**25))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
        view.madvise(mmap.MADV_RANDOM)
        assert memory.mapped(tmp_path) == 0
        assert view[0] == 0
        assert 0 < memory.mapped(tmp_path) < 2**25
        assert memory.mapped(tmp_path / "other") == 0
    assert memory.mapped(tmp_path) == 0


def test_heap_is_private_until_it_is_trimmed() -> None:
    """What was allocated counts, what was freed comes back."""
    before = memory.private()
    held = [bytes(range(256)) * 4 for _ in range(40_000)]
    assert memory.private() - before > 20 * 2**20
    del held
    memory.trim()
    assert memory.private() - before < 20 * 2**20
