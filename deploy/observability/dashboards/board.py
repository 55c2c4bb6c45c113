"""What a dashboard is, before Grafana comes in."""

from dataclasses import dataclass

REPLICA = 'instance=~"$instance"'
CHOSEN = f'{REPLICA}, language=~"$language"'
"""What the reader has chosen above the panels."""


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and the name of each line that it gives."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture; `unit` is one of Grafana's, `meaning` what to think when it moves."""

    title: str
    meaning: str
    unit: str
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that are looked at together."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One page; `name` is its file and its address."""

    name: str
    title: str
    rows: tuple[Row, ...]


def panel(title: str, meaning: str, unit: str, *lines: tuple[str, str]) -> Panel:
    """Return a panel of lines, each its PromQL and its name."""
    return Panel(title, meaning, unit, tuple(Query(expr, legend) for expr, legend in lines))


def rate(metric: str, by: str = "", chosen: str = CHOSEN) -> str:
    """Return what a counter grows by in a second, summed by these labels."""
    total = f"sum by ({by}) " if by else "sum"
    return f"{total}(rate({metric}{{{chosen}}}[$__rate_interval]))"


def ratio(part: str, whole: str) -> str:
    """Return how much one is of the other."""
    return f"{part} / {whole}"


def quantile(share: float, metric: str, by: str = "", chosen: str = CHOSEN) -> str:
    """Return a quantile of a histogram, for each value of these labels."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{metric}_bucket', labels, chosen)})"
