import logging

from registry.quiet import quiet


def test_quiet_of_several_ends_with_the_last_of_them() -> None:
    """In whatever order they end: what was logged before is logged after."""
    before = logging.root.manager.disable
    first, second = quiet(), quiet()
    first.__enter__()
    second.__enter__()

    first.__exit__(None, None, None)
    assert logging.root.manager.disable == logging.WARNING
    second.__exit__(None, None, None)

    assert logging.root.manager.disable == before
