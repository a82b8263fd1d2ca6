"""Converting lengths, weights, times, amounts and money, exact whole numbers only."""

from __future__ import annotations

import random

from tasks.checking import last_number_is
from tasks.columns import multiply_steps, short_steps
from tasks.phrasing import check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS

FAMILY = "units"

# (large, small, how many small ones make a large one)
PAIRS = (
    ("m", "cm", 100), ("km", "m", 1000), ("cm", "mm", 10), ("kg", "g", 1000), ("litres", "ml", 1000), ("tonnes", "kg", 1000),
    ("hours", "minutes", 60), ("minutes", "seconds", 60), ("days", "hours", 24), ("weeks", "days", 7), ("years", "months", 12),
    ("dozens", "pieces", 12), ("dollars", "cents", 100), ("feet", "inches", 12), ("yards", "feet", 3), ("decades", "years", 10),
    ("centuries", "years", 100),
)
SINGULAR = {
    "hours": "hour", "minutes": "minute", "seconds": "second", "days": "day", "weeks": "week", "years": "year", "months": "month",
    "dozens": "dozen", "pieces": "piece", "dollars": "dollar", "cents": "cent", "feet": "foot", "inches": "inch", "yards": "yard",
    "decades": "decade", "centuries": "century", "tonnes": "tonne", "litres": "litre",
}
MIXED = tuple(pair for pair in PAIRS if pair[0] in ("m", "km", "cm", "kg", "litres", "hours", "minutes", "days", "weeks", "years", "dollars", "feet"))

TRAIN_FORMS = (
    "How many {u} are {q}?", "How many {u} are there in {q}?", "Convert {q} to {u}.", "What is {q} in {u}?", "{q} in {u}?",
    "{q} = ? {u}", "Change {q} into {u}.", "Can you convert {q} to {u}?", "Write {q} in {u}.", "How many {u} make {q}?",
    "Please turn {q} into {u}.", "{q} to {u}", "Give {q} in {u}.", "Tell me how many {u} are in {q}.", "hey, how many {u} is {q}?",
    "I have {q}. How many {u} is that?", "What do you get if you convert {q} to {u}?", "Express {q} in {u}.", "Find {q} in {u}.",
    "How many {u} do {q} make?", "{q} is how many {u}?", "Could you tell me what {q} is in {u}?",
)
TEST_FORMS = (
    "My list says {q}, but I need {u}. Which number do I write?", "Measured in {u}, what is {q}?", "Swap the unit: {q} as {u}.",
    "Suppose something is {q}. State it in {u}.", "{q}: the same amount in {u}, please.",
)


def _amount(count: int, unit: str) -> str:
    return f"{count} {SINGULAR.get(unit, unit) if count == 1 else unit}"


def _rule(large: str, small: str, factor: int) -> str:
    return f"1 {SINGULAR.get(large, large)} = {factor} {small}."


def _times(count: int, factor: int) -> list[str]:
    """count × factor: direct for powers of ten and tables, else partial products."""
    if factor in (10, 100, 1000) or (count < 11 and factor < 11):
        return [f"{count} × {factor} = {count * factor}."]
    return multiply_steps(count, factor)


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a conversion; 1: a few large to small, 3: both ways and mixed, 5: sums of mixed amounts."""
    check_request(difficulty, phrasing)
    kind = rng.choice({1: ("down",), 2: ("down", "up"), 3: ("down", "up", "mixed"), 4: ("mixed", "up", "sum"), 5: ("sum", "sum", "less")}[difficulty])
    large, small, factor = rng.choice(MIXED if kind in ("mixed", "sum", "less") else PAIRS)
    top = {1: 9, 2: 20, 3: 60, 4: 99, 5: 20}[difficulty]
    if factor in (24, 12):  # two-digit times two-digit makes a long thought
        top = 9
    elif factor == 1000 and kind in ("sum", "less"):
        top = 9
    elif factor == 60 and kind != "down":
        top = 9
    count = rng.randint(1 if difficulty > 2 else 2, top)
    trace = [_rule(large, small, factor)]
    unit, amount, key = small, _amount(count, large), f"{count}{large}"
    if kind == "up":
        trace.append(f"{factor} × {count} = {count * factor}.")
        result, unit, amount, key = count, large, _amount(count * factor, small), f"{count * factor}{small}"
        trace.append(f"So {count * factor} ÷ {factor} = {count}.")
    else:
        trace += _times(count, factor)
        result = count * factor
    if kind in ("mixed", "sum", "less"):
        rest = rng.randint(1, factor - 1)
        amount += f" and {_amount(rest, small)}"
        key += f"+{rest}{small}"
        # below a power of ten the digits only fall into place
        trace += [f"{result} + {rest} = {result + rest}."] if factor in (10, 100, 1000) else short_steps(result, "+", rest)
        result += rest
    if kind == "sum":
        more = rng.randint(2, factor - 1)
        amount += f" plus {_amount(more, small)}"
        key += f"+{more}{small}"
        trace += short_steps(result, "+", more)
        result += more
    if kind == "less":
        fewer = rng.randint(1, min(result - 1, factor))
        amount += f" minus {_amount(fewer, small)}"
        key += f"-{fewer}{small}"
        trace += short_steps(result, "-", fewer)
        result -= fewer
    form = pick_form(rng, phrasing, TRAIN_FORMS, TEST_FORMS, WIDE_FORMS[FAMILY][""])
    return Problem(
        FAMILY, f"unit:{key}>{unit}", dress(rng, form.format(q=amount, u=unit), phrasing), tuple(trace),
        f"That is {_amount(result, unit)}.", str(result), difficulty,
    )


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply's last number is the converted amount."""
    return last_number_is(reply, problem.gold)
