"""The held-out problems that models are measured with: some 40 a family of the test side, half of them in test phrasing."""

from __future__ import annotations

import random

from tasks.problem import Problem
from tasks.registry import sample

SEED = 20260914  # of the 640 in tests/fixtures/eval
COUNTS = {1: 11, 2: 11, 3: 10, 4: 4, 5: 4}  # problems a family by difficulty: 40
MOST_REPEATS = 400  # draws without a new problem after which a difficulty counts as used up


def draw_new(family: str, rng: random.Random, difficulty: int, phrasing: str, seen: set[str]) -> Problem | None:
    """A test problem that is not in ``seen``, which it enters; None when the difficulty is used up."""
    for _ in range(MOST_REPEATS):
        problem = sample(family, rng, difficulty, "test", phrasing)
        if problem.canonical not in seen:
            seen.add(problem.canonical)
            return problem
    return None


def draw_problems(family: str, seed: int, seen: set[str]) -> list[tuple[Problem, str]]:
    """About 40 problems with their phrasing, difficulties and phrasings mixed; fewer where the test side has no more."""
    rng = random.Random(f"{seed}:{family}")
    drawn, missing = [], 0
    for difficulty in sorted(COUNTS, reverse=True):  # what an easy difficulty lacks can't be made up by an easier one
        for at in range(COUNTS[difficulty]):
            phrasing = "train" if at % 2 == 0 else "test"
            problem = draw_new(family, rng, difficulty, phrasing, seen)
            if problem is None:
                missing += 1
            else:
                drawn.append((problem, phrasing))
    for at in range(missing):
        phrasing = "train" if at % 2 == 0 else "test"
        problem = draw_new(family, rng, 3, phrasing, seen)
        if problem is not None:
            drawn.append((problem, phrasing))
    rng.shuffle(drawn)
    return drawn
