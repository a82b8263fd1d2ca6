"""Sums of two or three whole numbers, worked column by column."""

from __future__ import annotations

import random

from tasks.checking import last_number_is
from tasks.columns import add_steps
from tasks.phrasing import check_request, dress, join_and, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS

FAMILY = "addition"

TRAIN_FORMS = (
    "What is {e}?", "{e}", "{e} = ?", "{e} =", "What is {w}?", "Hey, what's {w}?", "Calculate {e}.",
    "Please work out {e}.", "Add {l}.", "Can you add {l}?", "What do you get when you add {l}?",
    "What is the sum of {l}?", "Find the sum: {e}.", "How much is {w}?", "How much is {e}?", "Compute {e}.",
    "Could you tell me what {w} is?", "Sum of {l}?", "I need {w}. What is it?", "Tell me {e}.", "Solve {e}.",
    "{w}?", "Add up {l} for me.", "What does {e} make?", "Please add the numbers {l}.", "what's {e}",
    "What number is {w}?", "Do you know {e}?",
)
TEST_FORMS = (
    "If I put {l} together, what number do I have?", "My homework says {e}. What should I write?",
    "Give me the total of {l}.", "Quick one: {w}!", "Would you be so kind as to evaluate {e}?",
    "What total do {l} come to?",
)


def _operands(rng: random.Random, difficulty: int) -> list[int]:
    if difficulty == 1:
        limits = rng.choice(((9, 9), (99, 9), (99, 99), (99, 99), (99, 99)))
        return [rng.randint(1, top) for top in rng.sample(limits, 2)]
    if difficulty == 2:
        return [rng.randint(10, 999), rng.randint(1, 999)]
    if difficulty == 3:
        if rng.random() < 0.3:
            return [rng.randint(1, 99) for _ in range(3)]
        return [rng.randint(100, 9999), rng.randint(10, 9999)]
    if difficulty == 4:
        if rng.random() < 0.3:
            return [rng.randint(10, 999) for _ in range(3)]
        return [rng.randint(1000, 99999), rng.randint(100, 99999)]
    if rng.random() < 0.3:
        return [rng.randint(100, 9999) for _ in range(3)]
    return [rng.randint(10000, 999999), rng.randint(1000, 999999)]


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a sum; 1: up to two digits, 5: six digits or three numbers of four."""
    check_request(difficulty, phrasing)
    values = _operands(rng, difficulty)
    sign = "+" if phrasing != "test" and rng.random() < 0.35 else " + "
    fields = {"e": sign.join(map(str, values)), "w": " plus ".join(map(str, values)), "l": join_and(values)}
    question = dress(rng, pick_form(rng, phrasing, TRAIN_FORMS, TEST_FORMS, WIDE_FORMS[FAMILY][""]).format(**fields), phrasing)
    thought, total = [], values[0]
    for value in values[1:]:
        thought += add_steps(total, value)
        total += value
    return Problem(
        FAMILY, "add:" + "+".join(map(str, sorted(values))), question, tuple(thought),
        f"{' + '.join(map(str, values))} = {total}.", str(total), difficulty,
    )


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply's last number is the sum."""
    return last_number_is(reply, problem.gold)
