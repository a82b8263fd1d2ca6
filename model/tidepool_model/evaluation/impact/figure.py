"""A figure of the report and its interval; owns no measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.interval import wilson

RESAMPLES = 4000
COMMAND = "python -m tidepool_model.evaluation.impact"

Group = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """One number with what it was measured on and what it can't say; `interval` in the same unit, None for a sum or a count."""

    id: str
    name: str
    value: float | None
    unit: str
    interval: Sequence[float] | None
    n: int | None
    cannot_say: str
    groups: Sequence[Group] = ()
    gate: dict[str, Any] | None = None
    neutral: float | None = None

    def record(self, model: str | None, category: str) -> dict[str, Any]:
        """As impact.json holds it."""
        found: dict[str, Any] = {
            "id": self.id, "model": model, "name": self.name, "value": tidy(self.value), "unit": self.unit,
            "interval": None if self.interval is None else [tidy(end) for end in self.interval], "n": self.n,
        }  # fmt: skip
        if self.neutral is not None:
            found["neutral"] = self.neutral
        if self.groups:
            found["groups"] = list(self.groups)
        if self.gate is not None:
            found["gate"] = self.gate
        return found | {"command": f"{COMMAND} --only {category}", "cannotSay": self.cannot_say}


def tidy(value: float | None) -> float | None:
    """Four digits that count."""
    return None if value is None else float(f"{value:.4g}")


def share(verdicts: Sequence[bool]) -> tuple[float, list[float]]:
    """Per cent of what is true, and its 95 % interval."""
    mean = sum(verdicts) / len(verdicts)
    low, high = wilson(mean, len(verdicts))
    return 100 * mean, [round(100 * low, 2), round(100 * high, 2)]


def group(name: str, verdicts: Sequence[bool]) -> Group:
    """One line of a breakdown in per cent."""
    value, interval = share(verdicts)
    return {"name": name, "value": tidy(value), "interval": [tidy(end) for end in interval], "n": len(verdicts)}


def gate(name: str, verdicts: Sequence[bool], needed: float) -> dict[str, Any]:
    """Whether a model is good enough for a figure to mean anything: the lower end of the interval reaches `needed` per cent."""
    value, interval = share(verdicts)
    return {"name": name, "value": tidy(value), "unit": "%", "interval": [tidy(end) for end in interval], "n": len(verdicts), "needed": needed, "passed": interval[0] >= needed}


def bootstrap(statistic: Any, *columns: Sequence[float], seed: int = 0) -> list[float]:
    """95 % interval of `statistic(*columns)` where the rows of the columns are drawn again, together."""
    arrays = [np.asarray(column, float) for column in columns]
    rng = np.random.default_rng(seed)
    with np.errstate(divide="ignore", invalid="ignore"):  # a draw of rows that are all alike has no correlation: left out
        found = [statistic(*(array[drawn] for array in arrays)) for drawn in rng.integers(0, len(arrays[0]), (RESAMPLES, len(arrays[0])))]
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return [float(low), float(high)]


def largest_gap(verdicts: dict[str, Sequence[bool]], seed: int = 0) -> tuple[float, list[float], float]:
    """Points between the best and the worst group on the same problems, its interval, and what chance alone would give.

    Chance: each problem's verdicts are dealt to the groups anew (mean of the gaps).
    """
    table = np.array([list(found) for found in verdicts.values()], float)  # (groups, problems)
    rng = np.random.default_rng(seed)
    spread = lambda means: 100 * (means.max(0) - means.min(0))
    drawn = rng.integers(0, table.shape[1], (RESAMPLES, table.shape[1]))
    gaps = spread(np.stack([table[:, row].mean(1) for row in drawn], 1))
    dealt = [spread(rng.permuted(table, axis=0).mean(1)) for _ in range(500)]
    low, high = np.percentile(gaps, [2.5, 97.5])
    return float(spread(table.mean(1))), [float(low), float(high)], float(np.mean(dealt))
