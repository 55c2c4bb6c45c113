from pathlib import Path

from registry.commit import UNKNOWN, code_commit

COMMIT = "c" * 40


def test_the_commit_of_a_checkout_is_found(tmp_path: Path) -> None:
    """On a branch, on one that git has packed, and on none."""
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{COMMIT} refs/heads/main\n")
    assert code_commit(tmp_path) == COMMIT

    (git / "refs" / "heads" / "main").write_text("d" * 40 + "\n")
    assert code_commit(tmp_path) == "d" * 40

    (git / "HEAD").write_text(COMMIT + "\n")
    assert code_commit(tmp_path) == COMMIT


def test_a_worktree_has_a_head_of_its_own(tmp_path: Path) -> None:
    """Its branches are those of the repository that it belongs to."""
    own = tmp_path / "main" / ".git" / "worktrees" / "other"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/other\n")
    (own / "commondir").write_text("../..\n")
    branch = tmp_path / "main" / ".git" / "refs" / "heads" / "other"
    branch.parent.mkdir(parents=True)
    branch.write_text(COMMIT)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".git").write_text(f"gitdir: {own}\n")

    assert code_commit(tmp_path / "other") == COMMIT


def test_what_is_no_checkout_has_no_commit(tmp_path: Path) -> None:
    """An image, or an installed package."""
    assert code_commit(tmp_path) == UNKNOWN
