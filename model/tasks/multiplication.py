"""Products of two whole numbers, worked by partial products."""

from __future__ import annotations

import random

from tasks.checking import last_number_is
from tasks.columns import multiply_steps
from tasks.phrasing import check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS

FAMILY = "multiplication"

TRAIN_FORMS = (
    "What is {e}?", "{e}", "{e} = ?", "{e} =", "What is {a} times {b}?", "Hey, what's {a} times {b}?", "Calculate {e}.",
    "Please work out {e}.", "Multiply {a} by {b}.", "Can you multiply {a} by {b}?", "Multiply {a} and {b}.",
    "What do you get when you multiply {a} by {b}?", "What is the product of {a} and {b}?", "Find {e}.",
    "How much is {e}?", "How much is {a} times {b}?", "Compute {e}.", "Could you tell me what {a} times {b} is?",
    "{a} times {b}?", "{a} times {b}", "What is {a} multiplied by {b}?", "Solve {e}.", "What do {a} groups of {b} make?",
    "I need {a} times {b}. What is it?", "what's {e}", "Tell me {e}.", "Do you know {e}?",
)
TEST_FORMS = (
    "If I take {b} exactly {a} times, how much is that?", "My homework says {e}. What should I write?",
    "Give me the product: {a} by {b}.", "Quick one: {a} times {b}!", "Would you be so kind as to evaluate {e}?",
    "{a} rows of {b}: how many in all?",
)
SIGNS = (" × ", " x ", " * ", "*", "x", "×")


def _operands(rng: random.Random, difficulty: int) -> tuple[int, int]:
    if difficulty == 1:
        return rng.randint(1, 10 if rng.random() < 0.8 else 20), rng.randint(0 if rng.random() < 0.1 else 1, 10)
    if difficulty == 2:
        a, b = rng.randint(11, 99), rng.randint(2, 9)
    elif difficulty == 3:
        a, b = rng.randint(11, 999), rng.randint(3, 9)
    elif difficulty == 4:
        a, b = (rng.randint(100, 9999), rng.randint(3, 9)) if rng.random() < 0.5 else (rng.randint(11, 99), rng.randint(11, 29))
    else:
        a, b = rng.randint(12, 99), rng.randint(12, 99)
    return (a, b) if rng.random() < 0.7 else (b, a)


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a product; 1: the tables, 3: three digits by one, 5: two digits by two."""
    check_request(difficulty, phrasing)
    a, b = _operands(rng, difficulty)
    sign = rng.choice(SIGNS) if phrasing != "test" else " × "
    form = pick_form(rng, phrasing, TRAIN_FORMS, TEST_FORMS, WIDE_FORMS[FAMILY][""])
    question = dress(rng, form.format(e=f"{a}{sign}{b}", a=a, b=b), phrasing)
    return Problem(
        FAMILY, f"mul:{min(a, b)}*{max(a, b)}", question, tuple(multiply_steps(a, b)), f"{a} × {b} = {a * b}.",
        str(a * b), difficulty,
    )


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply's last number is the product."""
    return last_number_is(reply, problem.gold)
