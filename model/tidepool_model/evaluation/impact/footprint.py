"""What training and a visit cost in money and energy: figures of LOG.md, the manifest and docs/offline.md times stated assumptions.

Nothing is metered here: no cost or energy was measured by an instrument. Each duration names the words of model/LOG.md that it stems
from, and the report is refused where they don't stand there any more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .figure import Figure, tidy

ROOT = Path(__file__).resolve().parents[4]
LOG = ROOT / "model/LOG.md"

COST_TITLE = "Financial cost"
ENERGY_TITLE = "Environmental cost"


class FootprintError(RuntimeError):
    """A duration whose source is gone; the message names it."""


@dataclass(frozen=True)
class Work:
    """CPU hours of a piece of training, and the words of LOG.md that tell them."""

    name: str
    hours: float
    quote: str


# One core's hours. `small` itself is read from its manifest.
WORKS: tuple[Work, ...] = (
    Work("micro", 1393 / 3600, "1,393 s at the lowest priority"),
    Work("Lagoon: layer by layer", 33 / 60, "715 k tokens, 12e-3 to 5e-4, some 33 minutes"),
    Work("Lagoon: first teaching", 47 / 60, "some 47\n  minutes of cores at 140 to 200 tokens/s"),
    Work("Lagoon: second teaching", 116 / 60, "609 k row tokens (41 % of them trained on) in 116 minutes"),
    Work("variants: control", 7 / 60, "| control, trained on | 3.34 M | 7 |"),
    Work("variants: MoE", 28 / 60, "| MoE, 8 experts, 2 a token | 4.82 M (3.35) | 28 |"),
    Work("variants: LatentMoE", 13 / 60, "4 a token | 4.83 M (3.36) | 13 |"),
    Work("the module that drafts", 663 / 3600, "663 s on one core beside other work"),
)


@dataclass(frozen=True)
class Assumption:
    """A number that was not measured: the middle value, the range, and where it comes from."""

    name: str
    middle: float
    low: float
    high: float
    unit: str
    why: str


PRICE = Assumption("price of a core", 0.04, 0.01, 0.1, "USD an hour", "what general-purpose virtual cores are let for, from spot to on demand; a statement, not a bill")
TRAFFIC = Assumption("price of traffic", 0.05, 0.0, 0.12, "USD a GB", "from free static hosts to large clouds' list prices")
CORE = Assumption("power of a busy core with its share of the machine", 10, 4, 25, "W", "a server of some 64 cores draws some 300 to 700 W under load, cooling included; nobody put a meter to it")
CARBON = Assumption("carbon of electricity", 0.4, 0.03, 0.8, "kg CO2e a kWh", "from hydroelectric to coal-heavy grids; the world's mean is near the middle")
DEVICE = Assumption("power that a tab adds to a device", 12, 3, 30, "W", "from a phone to a laptop with one busy core; screen and idle draw left out")
ASSUMPTIONS = (PRICE, TRAFFIC, CORE, CARBON, DEVICE)


def works(log: str, manifest: dict[str, Any]) -> list[Work]:
    """All pieces with their hours. FootprintError where the log doesn't have a piece's words."""
    gone = [work.name for work in WORKS if work.quote not in log]
    if gone:
        raise FootprintError(f"model/LOG.md no longer has the words that the duration of {gone[0]} stems from; mend footprint.py")
    hours, provenance = 0.0, manifest.get("provenance")
    while provenance:
        processes = int((re.search(r"--processes (\d+)", provenance["command"]) or [0, "1"])[1])
        hours += provenance["seconds"] * processes / 3600
        provenance = provenance.get("continues")
    return [Work("small, with mini before it", hours, "manifest.json"), *WORKS]


def scaled(amount: float, *assumptions: Assumption) -> tuple[float, list[float]]:
    """The amount times each assumption: the middle, and the range of all low and all high."""
    middle = low = high = amount
    for assumption in assumptions:
        middle, low, high = middle * assumption.middle, low * assumption.low, high * assumption.high
    return middle, [low, high]


def visit_bytes(text: str) -> int:
    """Bytes of a first answer on WASM, packed by brotli, from the table that `npm run bytes` made."""
    found = re.search(r"^\| first answer on WASM, in all \| [\d,]+ \| [\d,]+ \| ([\d,]+) \|", text, re.M)
    if found is None:
        raise FootprintError("docs/offline.md has no line `first answer on WASM, in all`; write the table of `npm run bytes` there")
    return int(found[1].replace(",", ""))


def table() -> dict[str, Any]:
    """The assumptions, for the reader to change."""
    return {"columns": ["assumed", "middle", "range", "unit", "why"], "rows": [[a.name, f"{a.middle:g}", f"{a.low:g} to {a.high:g}", a.unit, a.why] for a in ASSUMPTIONS]}


def groups(pieces: Sequence[Work], *assumptions: Assumption) -> list[dict[str, Any]]:
    found = []
    for piece in pieces:
        value, interval = scaled(piece.hours, *assumptions)
        found.append({"name": piece.name, "value": tidy(value), "interval": [tidy(end) for end in interval], "n": None})
    return found


ASSUMED = "; its interval is the range of what was assumed, no interval of a measurement"


def cost(root: Path = ROOT) -> list[Figure]:
    """Hours, their price, and a visit's bytes with theirs."""
    pieces = works((root / "model/LOG.md").read_text(), json.loads((root / "public/models/tidepool/manifest.json").read_text()))
    hours = sum(piece.hours for piece in pieces)
    price, price_range = scaled(hours, PRICE)
    size = visit_bytes((root / "docs/offline.md").read_text())
    visit, visit_range = scaled(size / 1e9 * 1000, TRAFFIC)
    return [
        Figure("hours", "Core hours of training that is kept", hours, "hours", None, len(pieces), "what failed tries, data, evaluation, tests and the work of those who wrote it took: several times as much", [{"name": p.name, "value": tidy(p.hours), "interval": None, "n": None} for p in pieces]),
        Figure("training-price", "Price of those hours", price, "USD", price_range, None, "what anyone paid" + ASSUMED, groups(pieces, PRICE)),
        Figure("visit-bytes", "Bytes of a first answer on WASM, packed (`npm run bytes`)", size / 1e6, "MB", None, None, "what a person's connection costs them; a second visit moves next to nothing, Lagoon 89 MB more once"),
        Figure("visit-price", "Traffic of a thousand first visits, for whoever serves them", visit, "USD", visit_range, None, "a host's real bill" + ASSUMED),
    ]


MS_A_TOKEN = ("small", 3.6, "`small`, measured beside other work (2026-11-24): `quantized` 3.5 MB, 1,188 ms, 3.6,")
LAGOON_TOKENS_A_SECOND = ("Lagoon", 30.5, "On WASM it writes 28 to 33 tokens/s with one thread here")


def energy(root: Path = ROOT) -> list[Figure]:
    """Energy and carbon of training, and of a thousand tokens in the tab."""
    log, readme = (root / "model/LOG.md").read_text(), (root / "README.md").read_text()
    pieces = works(log, json.loads((root / "public/models/tidepool/manifest.json").read_text()))
    hours = sum(piece.hours for piece in pieces)
    kwh, kwh_range = scaled(hours / 1000, CORE)
    carbon, carbon_range = scaled(hours, CORE, CARBON)  # W · h · kg/kWh = g
    seconds = {}
    if MS_A_TOKEN[2] in log:
        seconds["Tidepool, WASM, one thread"] = MS_A_TOKEN[1]
    if LAGOON_TOKENS_A_SECOND[2] in " ".join(readme.split()):
        seconds["Lagoon, WASM, one thread"] = 1000 / LAGOON_TOKENS_A_SECOND[1]
    lines = []
    for name, took in seconds.items():  # s for 1,000 tokens
        value, interval = scaled(took / 3600, DEVICE)
        lines.append({"name": name, "value": tidy(value), "interval": [tidy(end) for end in interval], "n": None})
    own = lines[0] if lines else {"value": None, "interval": None}
    return [
        Figure("training-energy", "Energy of the training that is kept", kwh, "kWh", kwh_range, None, "what a meter would have said, nor the making of the machines" + ASSUMED, groups([Work(p.name, p.hours / 1000, p.quote) for p in pieces], CORE)),
        Figure("training-carbon", "Carbon of that energy", carbon, "g CO2e", carbon_range, None, "where the machine stood and when it ran" + ASSUMED),
        Figure("token-energy", "Energy of 1,000 tokens written in the tab", own["value"], "Wh", own["interval"], None, "this device's power: the page cannot read it" + ASSUMED, lines),
    ]
