"""Differences of two whole numbers, worked column by column with borrowing."""

from __future__ import annotations

import random

from tasks.checking import last_number_is
from tasks.columns import subtract_steps
from tasks.phrasing import check_request, dress, pick_form
from tasks.problem import Problem
from tasks.wide_forms import WIDE_FORMS

FAMILY = "subtraction"

TRAIN_FORMS = (
    "What is {e}?", "{e}", "{e} = ?", "{e} =", "What is {a} minus {b}?", "Hey, what's {a} minus {b}?", "Calculate {e}.",
    "Please work out {e}.", "Subtract {b} from {a}.", "Can you subtract {b} from {a}?", "Take {b} from {a}.",
    "What do you get when you take {b} from {a}?", "What is the difference: {e}?", "Find {e}.", "How much is {e}?",
    "How much is {a} minus {b}?", "Compute {e}.", "Could you tell me what {a} minus {b} is?", "{a} minus {b}?",
    "{a} minus {b}", "What is {a} take away {b}?", "{a} take away {b}", "What is {b} less than {a}?", "Solve {e}.",
    "I need {a} minus {b}. What is it?", "what's {e}", "Tell me {e}.", "Do you know {e}?",
)
TEST_FORMS = (
    "If I start at {a} and go down by {b}, where do I end?", "My homework says {e}. What should I write?",
    "Remove {b} from {a}; what remains?", "Quick one: {a} minus {b}!", "Would you be so kind as to evaluate {e}?",
    "{a} with {b} taken off gives what?",
)


def _operands(rng: random.Random, difficulty: int) -> tuple[int, int]:
    if difficulty == 1:
        high = rng.randint(1, 20) if rng.random() < 0.3 else rng.randint(10, 99)
        return high, rng.randint(0, high)
    top = {2: 999, 3: 9999, 4: 99999, 5: 999999}[difficulty]
    a, b = rng.randint(top // 20, top), rng.randint(1, top)
    if a < b and not (difficulty >= 4 and rng.random() < 0.3):
        a, b = b, a
    return a, b


def generate(rng: random.Random, difficulty: int, phrasing: str = "train") -> Problem:
    """Make a difference; 1: up to two digits, 5: six digits, below zero now and then from 4."""
    check_request(difficulty, phrasing)
    a, b = _operands(rng, difficulty)
    sign = "-" if phrasing != "test" and rng.random() < 0.35 else " - "
    form = pick_form(rng, phrasing, TRAIN_FORMS, TEST_FORMS, WIDE_FORMS[FAMILY][""])
    question = dress(rng, form.format(e=f"{a}{sign}{b}", a=a, b=b), phrasing)
    return Problem(
        FAMILY, f"sub:{a}-{b}", question, tuple(subtract_steps(a, b)), f"{a} - {b} = {a - b}.", str(a - b), difficulty
    )


def check(problem: Problem, reply: str) -> bool:
    """Whether the reply's last number is the difference."""
    return last_number_is(reply, problem.gold)
