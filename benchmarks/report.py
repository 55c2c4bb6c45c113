"""The newest figures: `python -m benchmarks.report` puts them into benchmarks/README.md.

`--check` exits 1 where a target is missed, or a result is missing, and writes nothing.
"""

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.results import FOLDER

PAGE = Path(__file__).with_name("README.md")
START, END = "<!-- figures -->", "<!-- /figures -->"
NAMES = (
    "overhead",
    "hop",
    "mix",
    "cold",
    "isolation",
    "overload",
    "churn",
    "bulk",
    "promotion",
    "syncing",
    "register",
    "register_trimmed",
    "ladder",
)


def main() -> int:
    """Write the table, or check it."""
    kept = [FOLDER / f"{name}.json" for name in NAMES]
    results = [json.loads(path.read_text("utf-8")) for path in kept if path.exists()]
    if "--check" in sys.argv[1:]:
        every = [claim["holds"] for result in results for claim in result["claims"]]
        return 0 if all(every) and len(results) == len(NAMES) else 1
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n{table(results)}{END}{after}", "utf-8")
    return 0


def table(results: list[dict[str, Any]]) -> str:
    """Return the figures as a Markdown table; empty where there are none."""
    if not results:
        return ""
    head = "| claim | measured | rounds | target | |\n| --- | --- | --- | --- | --- |\n"
    return head + "".join(row(result, claim) for result in results for claim in result["claims"])


def row(result: dict[str, Any], claim: dict[str, Any]) -> str:
    """Return one claim's row."""
    unit = claim["unit"]
    measured, spread = "not shown", ""
    if claim["rounds"]:
        measured = f"{claim['measured']:.3g}{unit}"
        spread = f"{min(claim['rounds']):.3g} .. {max(claim['rounds']):.3g}"
    name = f"[{result['name']}](results/{result['name']}.json): {claim['name']}"
    target = f"{claim['bound']} {claim['target']:g}{unit}"
    return f"| {name} | {measured} | {spread} | {target} | {'✓' if claim['holds'] else '✗'} |\n"


if __name__ == "__main__":
    sys.exit(main())
