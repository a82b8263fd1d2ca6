"""Which number is the largest or smallest, and yes/no comparisons, digit by digit."""

from __future__ import annotations

import random

from tasks.checking import only_choice_is, yes_no_is
from tasks.phrasing import check_request, dress, join_and, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS

FAMILY = "comparison"

TRAIN_FORMS = (
    "Which is {w}: {l}?", "Which number is {w}, {l}?", "What is the {s} of {c}?", "Find the {s} number: {c}.",
    "{c}: which is {w}?", "Pick the {s} number from {c}.", "Which of these is the {s}: {c}?", "Tell me the {s} of {c}.",
    "Of {c}, which is the {s}?", "Hey, which is {w}, {l}?", "Look at {c}. Which one is the {s}?", "the {s} of {c}",
    "Can you find the {s} of {c}?", "Choose the {s}: {c}.", "I have {c}. Which number is the {s}?",
    "{w}: {l}?", "Please name the {s} number among {c}.", "Compare {c} and give me the {s}.",
    "What's the {s} number here: {c}?", "Among {c}, which is the {s}?", "Which one is {w}? {l}?",
    "Show me the {s} of the numbers {c}.",
)
YES_NO_FORMS = (
    "Is {a} {r} than {b}?", "Is it true that {a} is {r} than {b}?", "{a} is {r} than {b}, yes or no?",
    "Yes or no: is {a} {r} than {b}?", "Would you say {a} is {r} than {b}?", "is {a} {r} than {b}",
)
TEST_FORMS = (
    "Somebody wrote down {c}. Which of them is the {s}?", "The {s} among {c}, please!", "Here are some numbers: {c}. Give the {s}.",
    "Help me decide which is {w}: {l}.", "Out of {c}, I want the {s} one.",
)
TEST_YES_NO_FORMS = ("My friend says {a} is {r} than {b}. Yes or no?", "Does {a} count as {r} than {b}?")


def _values(rng: random.Random, difficulty: int) -> list[str]:
    if difficulty == 1:
        return [str(v) for v in rng.sample(range(1, 100), 2)]
    if difficulty == 2:
        return [str(v) for v in rng.sample(range(1, 1000), rng.choice((2, 2, 3)))]
    if difficulty == 3:
        base = rng.randint(10, 99) * 100
        pool = [base + v for v in rng.sample(range(100), 3)] + rng.sample(range(100, 10000), 2)
        return [str(v) for v in rng.sample(sorted(set(pool)), rng.choice((2, 3)))]
    if difficulty == 4 and rng.random() < 0.5:
        whole = rng.randint(0, 20)
        return rng.sample([f"{whole}.{rng.randint(1, 9)}", f"{whole}.{rng.randint(0, 9)}{rng.randint(1, 9)}"], 2)
    base = rng.randint(100, 999) * 1000
    near = [base + v for v in rng.sample(range(1000), 4)] + rng.sample(range(1000, 1000000), 2)
    return [str(v) for v in rng.sample(sorted(set(near)), 3 if difficulty == 4 else rng.choice((4, 5)))]


def _compare_line(a: str, b: str) -> tuple[str, bool]:
    """One sentence that says why a is larger or smaller than b, and whether a is larger."""
    if "." not in a and len(a) != len(b):
        sign = ">" if len(a) > len(b) else "<"
        return f"Lengths {len(a)} and {len(b)}: {len(a)} {sign} {len(b)}, so {a} {sign} {b}.", sign == ">"
    if "." in a:  # same whole part: compare the places after the point, the shorter filled with 0
        left, right = a.split(".")[1], b.split(".")[1]
        width = max(len(left), len(right))
        left, right = left.ljust(width, "0"), right.ljust(width, "0")
    else:
        left, right = a, b
    pairs: list[str] = []  # both digits are written before the sign, which could else only be guessed
    for x, y in zip(left, right):
        pairs.append(f"{x} and {y}")
        if x != y:
            sign = ">" if x > y else "<"
            return f"{', '.join(pairs)}: {x} {sign} {y}, so {a} {sign} {b}.", x > y
    raise ValueError(f"{a} and {b} are equal; a comparison needs two different numbers")


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a comparison; 1: two numbers under 100, 5: four or five numbers of six digits."""
    check_request(difficulty, phrasing)
    values = _values(rng, difficulty)
    while len({float(v) for v in values}) < len(values):
        values = _values(rng, difficulty)
    wants_large = rng.random() < 0.6
    is_yes_no = len(values) == 2 and rng.random() < 0.35
    if is_yes_no:
        a, b = values
        relation = rng.choice(("larger", "bigger", "greater") if wants_large else ("smaller", "less"))
        form = pick_form(rng, phrasing, YES_NO_FORMS, TEST_YES_NO_FORMS, WIDE_FORMS[FAMILY]["yes_no"])
        line, a_larger = _compare_line(a, b)
        is_true = a_larger == wants_large
        word = "larger" if wants_large else "smaller"
        return Problem(
            FAMILY, f"cmp:{'gt' if wants_large else 'lt'}:{a},{b}", dress(rng, form.format(a=a, b=b, r=relation), phrasing),
            (line, f"So {a} is {'larger' if a_larger else 'smaller'} than {b}."), f"Yes, {a} is {word} than {b}." if is_true else f"No, {a} is not {word} than {b}.",
            "yes" if is_true else "no", difficulty,
        )
    superlative = rng.choice(("largest", "biggest", "greatest", "highest") if wants_large else ("smallest", "lowest"))
    comparative = rng.choice(("larger", "bigger", "greater") if wants_large else ("smaller",)) if len(values) == 2 else superlative
    fields = {"s": superlative, "w": comparative, "c": join_and(values), "l": " or ".join(values) if len(values) == 2 else ", ".join(values[:-1]) + " or " + values[-1]}
    question = dress(rng, pick_form(rng, phrasing, TRAIN_FORMS, TEST_FORMS, WIDE_FORMS[FAMILY][""]).format(**fields), phrasing)
    best, thought = values[0], []
    for value in values[1:]:
        line, best_larger = _compare_line(best, value)
        if best_larger != wants_large:
            best = value
        thought.append(line)
    word = "largest" if wants_large else "smallest"
    thought.append(f"So the {word} is {best}.")
    return Problem(
        FAMILY, f"cmp:{'max' if wants_large else 'min'}:{','.join(values)}", question, tuple(thought),
        f"The {word} is {best}.", best, difficulty,
    )


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply names the right number and no other, or says yes or no rightly."""
    if problem.gold in ("yes", "no"):
        return yes_no_is(reply, problem.gold)
    return only_choice_is(reply, problem.gold, problem.canonical.split(":")[2].split(","))
