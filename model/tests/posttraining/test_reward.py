"""Preferences as they are published, reward heads that learn them, and ways of choosing among replies."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer

from tidepool_model.architecture.config import preset
from tidepool_model.architecture.model import HybridLM
from tidepool_model.data import tokenizer as tokenizers_
from tidepool_model.posttraining.best_of import pairs_of
from tidepool_model.posttraining.choosing import Reply
from tidepool_model.posttraining.environments import MALFORMED, RIGHT, WRONG
from tidepool_model.posttraining.pair_kinds import OTHERS, RULES
from tidepool_model.posttraining.preferences import Preference, read_preferences, write_preferences
from tidepool_model.posttraining.reply_pool import PoolError, draw_tasks, kept_replies, sources_of
from tidepool_model.posttraining.reward import ATTRIBUTE_WEIGHTS, Head, RewardError, accuracy_by_domain, fit_attributes, fit_bradley_terry, pair_attributes, read_pairs, states_of

# A row with the fields that the published file has.
ROW = {
    "domain": "general", "language": "english", "context": [{"role": "user", "content": "Name a fruit."}], "response1": "An apple.", "response2": "A stone.",
    "overall_preference": -2, "individual_preference": [{"score": -2, "reasoning": "The first names a fruit.", "feedback1": "right", "feedback2": "wrong"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokenizers_.load(tokenizers_.DEFAULT_DIR)


def test_published_rows_are_read_and_broken_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "preference.jsonl"
    broken = [ROW | {"overall_preference": 7}, {k: v for k, v in ROW.items() if k != "response2"}, ROW | {"context": []}, ROW | {"overall_preference": "2"}]
    path.write_text("\n".join([json.dumps(ROW), *map(json.dumps, broken), '{"domain": ', json.dumps(ROW | {"overall_preference": 3})]))
    rows, problems = read_preferences(path)
    assert [row.preference for row in rows] == [-2, 3]
    assert (rows[0].chosen, rows[0].rejected) == ("An apple.", "A stone.") and rows[1].chosen == "A stone."
    assert [problem.split(":")[0] for problem in problems] == [f"preference.jsonl, row {number}" for number in (2, 3, 4, 5, 6)]
    assert "overall_preference is 7" in problems[0] and "response2 is missing" in problems[1] and "context" in problems[2] and "no JSON" in problems[4]
    write_preferences(tmp_path / "again.jsonl", rows)
    assert read_preferences(tmp_path / "again.jsonl") == (rows, [])
    path.write_text(json.dumps(ROW | {"overall_preference": 0}))
    with pytest.raises(RewardError, match="no pair with a preference"):
        read_pairs(path)


def test_bradley_terry_finds_the_direction_and_ties_teach_nothing() -> None:
    torch.manual_seed(1)
    direction = torch.randn(12)
    states = torch.randn(400, 2, 12) * 3 + 5
    better = (states @ direction).argmax(1)
    rows = torch.arange(400)
    chosen, rejected = states[rows, better], states[rows, 1 - better]
    magnitudes = torch.randint(1, 4, (400,)).float()
    head = fit_bradley_terry(chosen[:300], rejected[:300], magnitudes[:300])
    pairs = [Preference(({"role": "user", "content": "?"},), ("a", "b"), -1, domain) for domain in ("x", "y") for _ in range(50)]
    found = accuracy_by_domain(head, chosen[300:], rejected[300:], pairs)
    assert found["all"][0] / found["all"][1] > 0.9 and found["x"][1] == found["y"][1] == 50
    turned = torch.cat([magnitudes[:300], torch.zeros(300)])  # ties that say the opposite
    same = fit_bradley_terry(torch.cat([chosen[:300], rejected[:300]]), torch.cat([rejected[:300], chosen[:300]]) * 0 + torch.cat([rejected[:300], chosen[:300]]), turned)
    assert torch.nn.functional.cosine_similarity(same.weight / same.spread, head.weight / head.spread).item() > 0.95


def test_attributes_are_fitted_and_weighed() -> None:
    torch.manual_seed(2)
    states = torch.randn(300, 8)
    scores = (states @ torch.randn(8, 5) * 0.4 + 2).clamp(0, 4)
    head = fit_attributes(states, scores)
    assert (head.outputs(states) - scores).abs().mean() < 0.15
    assert torch.allclose(head.reward(states), head.outputs(states) @ torch.tensor(ATTRIBUTE_WEIGHTS))


def test_a_head_of_another_model_is_refused(tmp_path: Path) -> None:
    head = Head(torch.zeros(6), torch.ones(6), torch.ones(1, 6), torch.zeros(1))
    pairs = [Preference(({"role": "user", "content": "?"},), ("a", "b"), -1, domain) for domain in ("talk, breaks off", "sampled, wrong", "code", "code")]
    head.save(tmp_path / "head.safetensors", "small", pairs)
    with safe_open(tmp_path / "head.safetensors", "pt") as file:
        told = {one["kind"]: (one["pairs"], one["rule"]) for one in json.loads(file.metadata()["pairs"])}
    assert told["code"] == (2, OTHERS) and told["talk, breaks off"] == (1, RULES["talk, breaks off"]) and len(told) == 3
    assert torch.equal(Head.load(tmp_path / "head.safetensors", 6).weight, head.weight)
    with pytest.raises(RewardError, match="head for states of 6 numbers, the model's have 192"):
        Head.load(tmp_path / "head.safetensors", 192)


def test_attributes_of_pairs_are_on_their_scale_and_tell_the_better_reply() -> None:
    context = ({"role": "user", "content": "?"},)
    pairs = [Preference(context, ("a\n" * 30 + "</think>\nYes.", "no"), -3), Preference(context, ("no", "a\n</think>\nYes."), 2)]
    scores = pair_attributes(pairs)
    assert scores.shape == (4, 5) and scores.min() >= 0 and scores.max() <= 4
    chosen, rejected = scores[:2], scores[2:]
    assert (chosen[:, :3] > rejected[:, :3]).all() and chosen[0, 3] == 4 and rejected[0, 2] < rejected[1, 2]


def test_states_are_those_at_the_end_mark_whatever_stands_beside(tokenizer: Tokenizer) -> None:
    torch.manual_seed(3)
    model = HybridLM(replace(preset("micro"), vocab_size=tokenizer.get_vocab_size())).eval()
    context = [{"role": "user", "content": "What is 2 + 3?"}]
    replies = [(context, "A thought.\n</think>\n2 + 3 = 5."), (context, "5")]
    both = states_of(model, tokenizer, replies)
    assert torch.allclose(both[1], states_of(model, tokenizer, replies[1:])[0], atol=1e-5)
    assert not torch.allclose(both[0], both[1], atol=1e-2)


def test_pairs_put_the_right_reply_first_in_rank_not_in_place(tokenizer: Tokenizer, tmp_path: Path) -> None:
    torch.manual_seed(4)
    model = HybridLM(replace(preset("micro"), vocab_size=tokenizer.get_vocab_size())).eval()
    tasks = draw_tasks(tokenizer, 3, "train", ("wide",), 2)
    models, journal = [("one", model)], tmp_path / "replies.jsonl"
    drawn = kept_replies(models, tokenizer, tasks, [1.0], 8, journal, 0)
    assert len(drawn) == 3 and all(reply.reward in (RIGHT, WRONG, MALFORMED) for replies in drawn for reply in replies)
    assert kept_replies(models, tokenizer, tasks, [1.0], 8, journal, 0) == drawn  # read, not written anew
    journal.write_text("".join(json.dumps([[r.text, r.reward, r.tokens] for r in replies]) + "\n" for replies in drawn) + '[["cut sh')
    assert [[r.text for r in replies] for replies in kept_replies(models, tokenizer, tasks, [1.0], 8, journal, 0)] == [[r.text for r in replies] for replies in drawn]
    with pytest.raises(PoolError, match="line 1: 8 replies of one checkpoint; this command asks for 16 of one at 1"):
        kept_replies(models, tokenizer, tasks, [1.0], 16, journal, 0)
    task, rng = tasks[0][1], random.Random(1)
    replies = [Reply("right", RIGHT, 5), Reply("wrong", WRONG, 5)]
    pairs = [pair for _ in range(40) for pair in pairs_of(task, replies, rng)]
    assert len(pairs) == 40 and all(pair.chosen == "right" and abs(pair.preference) == 2 for pair in pairs)
    assert {pair.responses[0] for pair in pairs} == {"right", "wrong"}
    assert pairs_of(task, replies[:1], rng) == []
    (worse,) = pairs_of(task, [replies[0], Reply("x", MALFORMED, 9)], rng)
    assert abs(worse.preference) == 3


def test_replies_are_spread_over_checkpoints_and_temperatures(tokenizer: Tokenizer, tmp_path: Path) -> None:
    torch.manual_seed(5)
    models = [(name, HybridLM(replace(preset("micro"), vocab_size=tokenizer.get_vocab_size())).eval()) for name in ("one", "other")]
    tasks = draw_tasks(tokenizer, 3, "train", ("wide",), 2)
    drawn = kept_replies(models, tokenizer, tasks, [0.5, 1.0, 1.5], 8, tmp_path / "replies.jsonl", 0)
    written = [(reply.by, reply.temperature) for replies in drawn for reply in replies]
    assert Counter(written) == {(name, temperature): 4 for name in ("one", "other") for temperature in (0.5, 1.0, 1.5)}
    assert written[8:16] == sources_of(["one", "other"], [0.5, 1.0, 1.5], 1, 8)
    assert kept_replies(models, tokenizer, tasks, [0.5, 1.0, 1.5], 8, tmp_path / "replies.jsonl", 0) == drawn
    with pytest.raises(PoolError, match="8 replies of one at 0.5, one at 1, one at 1.5, other at"):
        kept_replies(models[:1], tokenizer, tasks, [0.5], 8, tmp_path / "replies.jsonl", 0)
