"""What Lagoon is taught: names by the thousand, answers that stand in the text, nothing that is measured."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

from tasks.registry import FAMILIES, sample
from tasks.words import NAMES
from tidepool_model.data.lagoon import itself, reading, sums
from tidepool_model.data.lagoon.mix import asks_measured, measured_questions, normal
from tidepool_model.data.build import chat_item
from tidepool_model.data.lagoon.vocabulary import RENAMED, many_names, widened

FIXTURES = Path(__file__).resolve().parents[3] / "tests/fixtures/eval"


def test_there_are_thousands_of_names() -> None:
    assert len(many_names()) > 5000
    assert all(re.fullmatch(r"[A-Z][a-z]{2,9}", name) for name in many_names())


def test_a_renamed_problem_is_still_answered_rightly() -> None:
    rng = random.Random(5)
    changed = 0
    for family in sorted(RENAMED - {"tools"}):
        for _ in range(30):
            problem = sample(family, rng, rng.randint(1, 5), "train", "wide")
            other = widened(problem, rng)
            assert FAMILIES[family].check(other, other.answer), (family, other)
            changed += other.question != problem.question
            if family in ("lookup", "relations") and other.gold in NAMES:
                assert other.gold in other.question or other.gold.lower() in other.question
    assert changed > 80  # of 300: sums without people stay as they are


def test_what_is_read_holds_the_answer() -> None:
    rng = random.Random(6)
    for _ in range(300):
        question, reply = reading.read_and_ask(rng)
        last = re.findall(r"[\w'-]+", reply["content"])[-1].lower()
        assert last in question["content"].lower(), (question, reply)


def test_sums_are_worked_from_their_equation() -> None:
    lines, value = sums.steps_of("- 25000 * 1500 8")
    assert lines == ["1500 × 8 = 12000.", "25000 - 12000 = 13000."] and value == 13000


def test_no_measured_question_is_taught() -> None:
    measured = measured_questions([FIXTURES / "visitors.json", FIXTURES / "problems.json"])
    assert len(measured) > 600
    question = json.loads((FIXTURES / "visitors.json").read_text())["questions"][0]["question"]
    item = chat_item([{"role": "user", "content": question.lower()}, {"role": "assistant", "content": "Paris."}], "test")
    assert asks_measured(item, measured)
    rng = random.Random(7)
    said = {normal(str(itself.talk(rng)[0]["content"])) for _ in range(3000)}
    assert len(said) > 150  # many wordings
