"""Which code this is."""

from pathlib import Path

UNKNOWN = "unknown"
ROOT = Path(__file__).parent.parent


def code_commit(root: Path = ROOT) -> str:
    """Return the commit that is checked out, in hex; `unknown` where the code is no checkout."""
    git = root / ".git"
    try:
        if git.is_file():  # a worktree, or a submodule
            git = (root / git.read_text("utf-8").removeprefix("gitdir:").strip()).resolve()
        head = (git / "HEAD").read_text("utf-8").strip()
        return _resolved(git, head.removeprefix("ref: ")) if head.startswith("ref: ") else head
    except OSError:
        return UNKNOWN


def _resolved(git: Path, ref: str) -> str:
    common = git / "commondir"
    shared = (git / common.read_text("utf-8").strip()).resolve() if common.is_file() else git
    for folder in (git, shared):
        if (folder / ref).is_file():
            return (folder / ref).read_text("utf-8").strip()
    packed = (shared / "packed-refs").read_text("utf-8").splitlines()
    return next((line.split()[0] for line in packed if line.endswith(f" {ref}")), UNKNOWN)
