"""Requests a second, second by second: made up, or recorded."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deploy.autoscaling.schedule import DAY, HOUR

Rates = list[float]


def working_day(peak: float) -> Rates:
    """Return a Monday: next to nothing at night, a peak at eleven and a lower one at three."""
    hours = np.arange(DAY) / HOUR
    morning = np.exp(-(((hours - 11) / 1.8) ** 2))
    afternoon = 0.8 * np.exp(-(((hours - 15.5) / 2) ** 2))
    evening = 0.15 * np.exp(-(((hours - 20.5) / 1.5) ** 2))
    rates = peak * (morning + afternoon + evening)
    return [float(rate) if rate > peak / 1000 else 0.0 for rate in rates]


def burst(peak: float) -> Rates:
    """Return three hours with a tenth of the peak, and half an hour of all of it at once."""
    return [peak / 10] * HOUR + [peak] * (HOUR // 2) + [peak / 10] * (3 * HOUR // 2)


def seldom(peak: float) -> Rates:
    """Return a day on which somebody asks for five minutes in every third hour."""
    asked = [peak / 20] * 300 + [0.0] * (3 * HOUR - 300)
    return asked * (DAY // len(asked))


MADE_UP: dict[str, Callable[[float], Rates]] = {
    "working day": working_day,
    "burst": burst,
    "seldom": seldom,
}


def recorded(path: Path) -> Rates:
    """Read `seconds,requests a second` a line, as a query of Prometheus over a range gives it.

    A rate holds until the next line. ValueError where a line is something else.
    """
    rates: Rates = []
    last: tuple[float, float] | None = None
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file), start=1):
            try:
                at, rate = map(float, row)
            except ValueError:
                message = f"{path}, line {number}: seconds and a rate are wanted, not {row}"
                raise ValueError(message) from None
            if (last and at <= last[0]) or rate < 0 or not math.isfinite(at + rate):
                message = f"{path}, line {number}: times rise, and rates are at least 0"
                raise ValueError(message)
            if last:
                rates += [last[1]] * round(at - last[0])
            last = at, rate
    return rates
