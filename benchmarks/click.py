"""A person at MLflow's page, in a real browser: opens a version, gives it an alias, saves."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from models.identity import ModelId

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Page:
    """MLflow's page in a browser."""

    url: str
    page: Any

    def write_alias(self, model: ModelId, alias: str) -> Any:  # noqa: ANN401  (playwright's)
        """Open the version's dialog and write the alias, up to the button that saves it.

        By menus the same dialog takes seven clicks more; what a person is sent is this address.
        """
        self.page.goto(f"{self.url}/#/models/{quote(model.name)}/versions/{model.version}")
        self.page.reload()  # the page keeps what it knew of the aliases
        named = self.page.get_by_test_id("descriptions-item-label")
        item = self.page.get_by_test_id("descriptions-item").filter(
            has=named.get_by_text("Aliases", exact=True)
        )
        item.get_by_role("button").last.click()
        title = f"alias for model version {model.version}"
        dialog = self.page.get_by_role("dialog").filter(has_text=title)
        dialog.wait_for()
        box = dialog.get_by_role("combobox")
        box.click()
        box.press_sequentially(alias, delay=20)
        box.press("Enter")
        return dialog.get_by_role("button", name="Save aliases")

    def save(self, button: Any) -> float:  # noqa: ANN401
        """Press the button; return when, in seconds of `time.monotonic()`."""
        with self.page.expect_response(
            lambda answer: (
                answer.request.method == "POST" and answer.url.endswith("/registered-models/alias")
            )
        ) as got:
            clicked = time.monotonic()
            button.click()
        if not got.value.ok:
            raise RuntimeError(got.value.text())
        return clicked


@contextmanager
def browsing(url: str) -> Iterator[Page]:
    """Open a headless Chromium that has never been here before."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (only where it is asked for)

    profile = tempfile.mkdtemp(prefix="polysent-browser-")
    try:
        with sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                profile,
                executable_path=CHROMIUM,
                headless=True,
                args=list(FLAGS),
                viewport={"width": 1500, "height": 900},
            )
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            yield Page(url, page)
            context.close()
    finally:
        shutil.rmtree(profile, ignore_errors=True)
