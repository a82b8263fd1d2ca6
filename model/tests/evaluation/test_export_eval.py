"""The held-out fixtures: nothing of the training side, nothing twice, the same bytes from the same seed."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tidepool_model.evaluation import export_eval
from tasks import held_out
from tasks.registry import FAMILIES
from tasks.split import split_of

FIXTURES = Path(__file__).parents[3] / "tests" / "fixtures" / "eval"


@pytest.mark.parametrize("family", FAMILIES)
def test_problems_are_of_the_test_side_and_new(family: str) -> None:
    seen: set[str] = set()
    drawn = held_out.draw_problems(family, 1, seen)
    assert len(drawn) >= 36
    assert len({problem.canonical for problem, _ in drawn}) == len(drawn) == len(seen)
    assert all(split_of(problem.canonical) == "test" for problem, _ in drawn)
    assert {problem.difficulty for problem, _ in drawn} == {1, 2, 3, 4, 5}


def test_a_problem_of_another_family_counts_as_seen() -> None:
    """An easy sum of the tools family is an addition too."""
    first = held_out.draw_new("addition", random.Random(3), 1, "train", set())
    assert first is not None
    again = held_out.draw_new("addition", random.Random(3), 1, "train", {first.canonical})
    assert again is not None and again.canonical != first.canonical


def test_a_clock_is_told_where_one_is_asked() -> None:
    rng = random.Random(5)
    clocks = 0
    for _ in range(60):
        problem = FAMILIES["tools"].generate(rng, 1)
        now = export_eval.clock_of(problem)
        asks = any(call["name"] == "clock" for turn in problem.turns for call in turn.get("tool_calls", ()))
        assert (now is not None) == asks
        clocks += asks
    assert 0 < clocks < 60


@pytest.mark.parametrize("family", FAMILIES)
def test_verdicts_are_the_checks_own_and_of_both_sorts(family: str) -> None:
    drawn = held_out.draw_problems(family, 2, set())
    verdicts = list(export_eval.verdicts_of(drawn, 2))
    assert {v["check"]["kind"] for v in verdicts} == {export_eval.check_of(problem)["kind"] for problem, _ in drawn}
    for verdict in verdicts:
        assert verdict["right"] and verdict["wrong"]
        assert "" in verdict["wrong"]


def test_the_committed_problems_are_what_the_generators_give() -> None:
    """Where a generator has changed on purpose, run python -m tidepool_model.evaluation.export_eval again and say so in the commit."""
    committed = json.loads((FIXTURES / "problems.json").read_text(encoding="utf-8"))
    seed, seen = 20260914, set()
    records = [export_eval.record_of(*entry) for family in FAMILIES for entry in held_out.draw_problems(family, seed, seen)]
    assert records == committed
