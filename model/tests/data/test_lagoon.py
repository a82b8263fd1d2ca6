"""What Lagoon is taught: names by the thousand, answers that stand in the text, nothing that is measured."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from tasks.registry import FAMILIES, sample
from tasks.words import NAMES
from tidepool_model.data.lagoon import itself, knowledge, mix, plain_sums, reading, sums
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
    lines, value = sums.steps_of("- 25000 * 1501 8")
    assert lines[-1] == "So 25000 - 12008 = 12992." and "So 1501 × 8 = 12008." in lines and value == 12992
    assert sums.steps_of("/ 9 2") == (["9 ÷ 2 = 4.5."], 4.5)


def test_no_measured_question_is_taught() -> None:
    measured = measured_questions([FIXTURES / "visitors.json", FIXTURES / "problems.json"])
    assert len(measured) > 600
    question = json.loads((FIXTURES / "visitors.json").read_text())["questions"][0]["question"]
    item = chat_item([{"role": "user", "content": question.lower()}, {"role": "assistant", "content": "Paris."}], "test")
    assert asks_measured(item, measured)
    rng = random.Random(7)
    said = {normal(str(itself.talk(rng)[0]["content"])) for _ in range(3000)}
    assert len(said) > 150  # many wordings


def test_a_plain_sum_says_all_its_numbers_and_its_steps_lead_to_the_answer() -> None:
    rng = random.Random(8)
    apply = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "×": lambda a, b: a * b, "÷": lambda a, b: a / b}
    asked = set()
    for make in plain_sums.KINDS * 80:
        problem = make(rng)
        words = {plain_sums.WORDS.index(word) for word in re.findall(r"[a-z]+", problem.question) if word in plain_sums.WORDS}
        numbers = words | {int(number) for number in re.findall(r"\d+", problem.question)}
        value = problem.steps[0][0]
        for a, sign, b in problem.steps:
            assert value in (a, b), problem  # each step goes on from the last; change is taken from what was paid
            value = apply[sign](a, b)
            assert b in numbers or a in numbers or re.search("half|twice|double|third|quarter", problem.question, re.I), problem
        assert value == problem.value >= 0, problem
        asked.add(re.sub(r"\d+|[A-Z][a-z]+", "", problem.question))
    assert len(asked) > 250


def corpora(folder: Path) -> Path:
    """As much of the corpora as knowledge is drawn from."""
    words = [("antonym", "hot", "cold"), ("antonym", "wet", "dry"), ("synonym", "big", "large"), ("country-capital", "France", "Paris"), ("country-capital", "Peru", "Lima"), ("country-currency", "Peru", "Sol (PEN)"), ("landmark-country", "Alps", "Italy"), ("present-past", "run", "ran"), ("singular-plural", "box", "boxes"), ("next_item", "one", "two"), ("prev_item", "two", "one")]
    for name, rows in (
        ("function_vectors_tasks/tasks", [{"task": task, "input": x, "output": y} for task, x, y in words]),
        ("arc_openbookqa/arc_easy_train", [{"question": "What do bees drink?", "choices": [], "answer": "nectar"}]),
        ("arc_openbookqa/openbookqa_train", []),
    ):
        path = folder / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_what_visitors_ask_is_left_out_of_knowledge_in_every_wording(tmp_path: Path) -> None:
    known = knowledge.Knowledge(corpora(tmp_path), random.Random(9))
    said = [known.one() for _ in range(4000)]
    text = "\n".join(f"{asked} {answer}" for asked, answer in said)
    assert "Lima" in text and "Peru is Sol." in text  # what is not asked stays, without the code of a currency
    assert not re.search(r"of France|Paris|opposite of hot|after Tuesday|before Sunday|hours in a day|months (are )?in a year|a young cat", text)
    assert len({answer for _, answer in said}) > 300


def test_tables_are_right() -> None:
    rng = random.Random(10)
    for _ in range(60):
        reply = knowledge.table(rng)[1]["content"]
        for a, sign, b, value in re.findall(r"(\d+) ([-+×÷]) (\d+) = (-?\d+)\.", reply):
            assert {"+": int(a) + int(b), "-": int(a) - int(b), "×": int(a) * int(b), "÷": int(a) // max(1, int(b))}[sign] == int(value)


def test_letters_are_those_of_the_words() -> None:
    rng = random.Random(11)
    words = ["garden", "river", "kitchen", "apple", "stone", "yellow"]
    for _ in range(60):
        question, reply = knowledge.letters(rng, words)
        for word, spelled, back in re.findall(r"([a-z]+): ((?:[a-z] )*[a-z])[.,](?: Back: ((?:[a-z] )*[a-z])\.)?", reply["content"]):
            assert spelled.replace(" ", "") == word, reply
            assert not back or back.replace(" ", "") == word[::-1], reply
        assert any(word in question["content"] for word in words)


def test_shares_of_the_mix_can_be_moved_and_sum_to_one() -> None:
    assert mix.shares("") == pytest.approx(mix.MIX, abs=1e-9)
    moved = mix.shares("plain sums=0.4,families=0.3")
    assert sum(moved.values()) == pytest.approx(1) and moved["plain sums"] / moved["families"] == pytest.approx(4 / 3)
    assert moved["reading"] / moved["knowledge"] == pytest.approx(mix.MIX["reading"] / mix.MIX["knowledge"])
    with pytest.raises(ValueError, match="no source 'poems': name one of families"):
        mix.shares("poems=0.1")
    with pytest.raises(ValueError, match="needs a share between 0 and 1, like sums=0.3"):
        mix.shares("sums=much")
    with pytest.raises(ValueError, match="between 0 and 1, not at 2"):
        mix.shares("sums=2")
    with pytest.raises(ValueError, match="above 0"):
        mix.shares(",".join(f"{name}=0" for name in mix.MIX))
