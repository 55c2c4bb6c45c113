"""`python -m tests.deploy.rendered FOLDER`: what each set of values makes, a file each."""

import sys
from pathlib import Path

import yaml

from tests.deploy.chart import Chart


def main() -> None:
    """Write them."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    chart = Chart()
    for name, values in chart.sets.items():
        made = yaml.safe_dump_all(chart.render(values).manifests)
        (folder / f"{name}.yaml").write_text(made, "utf-8")


if __name__ == "__main__":
    main()
