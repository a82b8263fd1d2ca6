"""How sure a share of right answers is."""

from __future__ import annotations

import math

Z = 1.959964  # of the normal distribution, 95 % on both sides


def wilson(share: float, n: int) -> list[float]:
    """95 % interval of a share of n (Wilson 1927)."""
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    spread = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return [round(middle - spread, 4), round(middle + spread, 4)]
