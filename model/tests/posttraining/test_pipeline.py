"""The data pipeline: paraphrases that stay the problem, no test set among the rows, checked answers, direct preference losses."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from tasks import registry
from tasks.problem import Problem
from tokenizers import Tokenizer

from tidepool_model.architecture.config import preset
from tidepool_model.architecture.model import HybridLM
from tidepool_model.data.packing import PackedStage
from tidepool_model.data.tokenizer import DEFAULT_DIR
from tidepool_model.evaluation.phrasings import draw, paired
from tidepool_model.posttraining import direct, paraphrase
from tidepool_model.posttraining.duplicates import FIXTURES, TestSets, questions_of
from tidepool_model.posttraining.judging import consistent
from tidepool_model.posttraining.paraphrase import cleaned
from tidepool_model.posttraining.pipeline import Answer, Prompt, best_of, judged_best, pack, pairs_of, row_of, write_stories
from tidepool_model.posttraining.preferences import Preference
from tidepool_model.posttraining.same_problem import derive, is_readable, is_same


def story() -> Problem:
    return Problem("word_problems", "word:has:4+10;14-3", "Bob owns 4 candles. Bob gets 10 more. Bob loses 3. How many candles does Bob have?", ("Plan.",), "Bob has 11 candles.", "11", 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Bob has 4 candles, then finds 10 more. Later Bob lost 3. How many does Bob have?", None),
        ("Bob has 4 candles and finds 10 more. Later Bob lost 3. How many does Bob have?", "can't be read"),  # no guess at two numbers in one sentence
        ("Bob has 4 candles. Bob finds 10 more. Bob lost 3 of them. How many candles are left with Bob?", None),
        ("Bob has 4 candles. Bob finds 10 more. How many candles are left with Bob?", "a number"),
        ("Tom has 4 candles. Tom finds 10 more. Tom lost 3 of them. How many has Tom?", "a name"),
        ("Bob has 4 candles. Bob finds 10 more. Bob buys 3 of them. How many candles are left with Bob?", "another answer"),
        ("Bob owns 4 candles. Bob gets 10 more. Bob loses 3. How many candles does Bob have", "nothing was changed"),
        ("How many of Bob, and 4, and 10, and 3?", "can't be read"),
        ("Bob has 4 candles. Bob finds 10 more. Bob lost 3 of the digits. How many candles are left with Bob?", "may mean something else"),
        ("Bob has 4 candles. Bob finds 10 more. Bob lost 3 of them.", "asks nothing"),
    ],
)
def test_a_paraphrase_is_the_same_problem_or_refused(text: str, why: str | None) -> None:
    found = is_same(story(), text)
    assert found is None if why is None else found is not None and why in found


def test_the_reader_is_right_where_it_reads_and_knows_when_it_does_not() -> None:
    rng = random.Random(2)
    for family in ("addition", "subtraction", "multiplication"):
        problems = [registry.sample(family, rng, 1 + i % 4, "train", "wide") for i in range(120)]
        read = [derive(family, p.question) for p in problems]
        right = sum(is_readable(p) for p in problems)
        assert right > 60 and sum(d is not None for d in read) - right <= 3  # a claim is nearly never false
    assert derive("comparison", "Which is larger, 7 or 12?") == "12" and derive("comparison", "7 or 12?") is None
    assert derive("multiplication", "How many times larger is 88 than 2?") is None and derive("multiplication", "What is 88 times 2?") == "176"
    assert derive("subtraction", "Subtract 4 from 9.") == "5" and derive("subtraction", "What is 9 minus 4?") == "5"


def test_no_row_repeats_a_test_set() -> None:
    tests = TestSets(questions_of(FIXTURES, None))
    rng = random.Random(3)
    held = registry.sample("addition", rng, 2, "test", "wide")
    assert tests.repeats(held, held.question) == "the problem is of the test side"
    taken = json.loads((FIXTURES / "problems.json").read_text())[0]
    train = registry.sample("addition", rng, 2, "train", "wide")
    assert tests.repeats(train, taken["question"]) == "a test question, word for word"
    assert tests.repeats(train, f"If I put {train.canonical[4:].replace('+', ' and ')} together, what number do I have?") is not None  # a wording kept for tests
    free = [registry.sample(family, rng, 2, "train", "wide") for family in ("addition", "subtraction", "multiplication", "units") for _ in range(25)]
    assert sum(tests.repeats(p, p.question) is None for p in free) > 85  # training's own wordings pass


def test_a_judge_counts_where_both_orders_agree() -> None:
    pairs = [("q", "long reply", "short"), ("q", "a", "b")]
    assert consistent(lambda rows: [len(a) > len(b) for _, a, b in rows], pairs) == [True, None]
    assert consistent(lambda rows: [True for _ in rows], pairs) == [None, None]  # the first, whatever it is


def test_the_checker_comes_first_and_the_reward_head_second() -> None:
    prompt = Prompt(story(), story().question, "grammar")
    replies = [Answer("t\n</think>\nno", "a", 0.0, 9.0), Answer("t\n</think>\nBob has 11.", "a", 1.0, 0.1), Answer("u\n</think>\nIt is 11.", "b", 1.0, 0.5)]
    best = best_of(replies)
    assert best is replies[2] and best_of(replies[:1]) is None
    row = row_of(prompt, best)
    assert row["messages"][1] == {"role": "assistant", "reasoning": "u", "content": "It is 11."} and row["by"] == "b"
    assert row_of(prompt, best_of(replies[:1]))["by"] == "the recipe"
    pairs, counts = pairs_of([prompt, prompt, prompt], [replies, replies[:1], replies[1:]], 1)
    assert len(pairs) == 1 and pairs[0].chosen == replies[2].text and pairs[0].rejected == replies[0].text and abs(pairs[0].preference) == 2
    assert counts["pairs left out: both right, no judge asked"] == 1 and counts["prompts without a pair: all replies are wrong"] == 1
    pairs, counts = pairs_of([prompt], [replies[1:]], 1, lambda rows: ["It is" in a for _, a, _ in rows])
    assert [pair.chosen for pair in pairs] == [replies[2].text] and counts["pairs by the judge, in both orders"] == 1


def test_of_two_right_replies_the_judge_chooses_where_both_orders_agree() -> None:
    prompt = Prompt(story(), story().question, "grammar")
    replies = [Answer("t\n</think>\nBob has 11 candles.", "a", 1.0), Answer("u\n</think>\nIt is 11.", "b", 1.0), Answer("v\n</think>\nno", "b", 0.0)]
    assert best_of(replies) is replies[1]  # the shorter of the right ones
    best, counts = judged_best([prompt], [replies], lambda rows: ["Bob" in a for _, a, _ in rows])
    assert best == [replies[0]] and dict(counts) == {"replies of rows: two right, the judge prefers the second in both orders": 1}
    best, counts = judged_best([prompt], [replies], lambda rows: [True for _ in rows])  # the first, whatever it is
    assert best == [replies[1]] and list(counts) == ["replies of rows: two right, the judge changes its mind with the order, so the first stays"]
    same = [replies[0], replies[0]]
    assert judged_best([prompt, prompt], [same, replies[2:]], lambda rows: [pytest.fail("asked") for _ in rows]) == ([replies[0], None], {})
    assert judged_best([prompt], [replies], None) == ([replies[1]], {})


def test_retold_stories_are_rows_where_they_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = Tokenizer.from_file(str(DEFAULT_DIR / "tokenizer.json"))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    short = paraphrase.short_stories(3, 9)
    assert len({one.text for one in short}) == 3 and all(len(one.text.split()) <= paraphrase.MOST_WORDS for one in short)

    def said(model: object, prompts: list[list[int]], *_: object, **__: object) -> list[tuple[int, list[int]]]:
        assert all(tokenizer.decode(prompt, skip_special_tokens=False).endswith("other words:") for prompt in prompts)
        return [(index, tokenizer.encode(f" Told again: {index // 2}.").ids) for index in range(len(prompts))]

    monkeypatch.setattr(paraphrase, "load_base", lambda _: None)
    monkeypatch.setattr(paraphrase, "write_replies", said)
    monkeypatch.setattr(paraphrase.same_story, "why_refused", lambda told, text: "too odd" if text.endswith("1.") else None)
    args = type("Options", (), {"seed": 7, "corpora": None, "stories": 3, "each": 2, "base": tmp_path, "base_tokenizer": tmp_path / "tokenizer.json"})()
    table: Counter[str] = Counter()
    rows = write_stories(args, table)
    assert table == {"retold stories refused: too odd": 2, "retold stories refused: written twice": 2, "retold stories kept": 2}
    assert [row["messages"][1]["content"] for row in rows] == ["Told again: 0.", "Told again: 2."] and rows[0]["messages"][0]["content"]
    assert pack(rows, tokenizer, None, 1.0, tmp_path / "packed", 1)["own"] > 20


def test_rows_are_packed_for_the_trainer_at_their_share(tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(DEFAULT_DIR / "tokenizer.json"))
    rows = [row_of(Prompt(story(), f"{story().question} {i}", "grammar"), None) for i in range(8)]
    first = pack(rows, tokenizer, None, 1.0, tmp_path / "own", 1)
    assert first["own"] == first["all"]
    second = pack(rows, tokenizer, tmp_path / "own", 0.5, tmp_path / "mixed", 1)
    assert second["own"] == first["own"] and 0.4 < second["own"] / second["all"] <= 0.55
    stage = PackedStage(tmp_path / "mixed", "sft")
    assert len(stage.starts) >= 14 and 0 < int(stage.mask.sum()) < len(stage.mask)
    assert np.isin(stage.tokens, np.arange(tokenizer.get_vocab_size())).all()


def test_paraphrases_are_cleaned() -> None:
    assert cleaned('"What is 3 plus 4?"\nThat is it.') == "What is 3 plus 4?" and cleaned("Here is one: How much is 3 and 4?<|im_end|>") == "How much is 3 and 4?"


def test_direct_losses() -> None:
    zero = torch.zeros(3)
    assert float(direct.direct_loss("dpo", zero, zero, 0.1, 1.0)) == pytest.approx(math.log(2))
    gap = torch.tensor([1.0, 2.0, 3.0])
    assert float(direct.direct_loss("rpo", gap / 0.1, gap, 0.1, 1.0)) == pytest.approx(0, abs=1e-6)  # the gap is met exactly
    assert float(direct.direct_loss("rpo", zero, gap, 0.1, 1.0)) > 0
    assert float(direct.direct_loss("dpo", torch.tensor([50.0]), gap[:1], 0.1, 1.0)) < 0.01


def test_a_pass_makes_chosen_replies_likelier() -> None:
    torch.manual_seed(1)
    tokenizer = Tokenizer.from_file(str(DEFAULT_DIR / "tokenizer.json"))
    model = HybridLM(preset("micro", tokenizer.get_vocab_size()))
    pairs = [Preference(({"role": "user", "content": f"What is {i} + 1?"},), (f"x\n</think>\n{i + 1}.", f"x\n</think>\n{i}."), -2) for i in range(4)]
    options = type("Options", (), {"seed": 1, "batch": 4, "rate": 3e-3, "passes": 6, "form": "dpo", "beta": 0.1, "eta": 1.0, "sft": 0.0})()
    curve = direct.optimise(model, tokenizer, pairs, options)
    assert curve[0]["margin"] == pytest.approx(0, abs=1e-3) and curve[-1]["margin"] > 0.5 and curve[-1]["loss"] < curve[0]["loss"]


def test_phrasings_are_of_the_test_side_and_paired() -> None:
    problems = draw(3, "test", 1, ("addition", "units"))
    assert len({p.canonical for p in problems}) == 6
    told = paired([True, True, False, True], [True, False, False, False])
    assert told["points"] == 50 and told["won"] == 2 and told["lost"] == 0
