"""`python -m deploy.observability.dashboards`: write the JSON files beside this one."""

from pathlib import Path

from deploy.observability.dashboards import memory, promotion, requests
from deploy.observability.dashboards.grafana import page

FOLDER = Path(__file__).parent
BOARDS = (requests.BOARD, memory.BOARD, promotion.BOARD)


def main() -> None:
    """Write one file for each board."""
    for board in BOARDS:
        (FOLDER / f"{board.name}.json").write_text(page(board), "utf-8")


if __name__ == "__main__":
    main()
