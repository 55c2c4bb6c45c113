import os

import pytest

os.environ.pop("COLUMNS", None)  # of whoever runs the tests: tables are as wide as tests say


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares servers in one worker: a file, and all that asks the demo fleet."""
    for item in items:
        group = "fleet" if item.get_closest_marker("fleet") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
