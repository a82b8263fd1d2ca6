"""The reinforcement hooks: rewards are the checkers' own, weights reach the loss, and a stage of it runs and resumes."""

from __future__ import annotations

import argparse
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tasks.registry import FAMILIES
from tokenizers import Tokenizer

from tidepool_model.architecture.config import preset
from tidepool_model.architecture.model import HybridLM, document_mask
from tidepool_model.data import tokenizer as tokenizers_
from tidepool_model.posttraining import reinforce
from tidepool_model.training.optimiser import build_optimisers
from tidepool_model.training.train import Run


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokenizers_.load(tokenizers_.DEFAULT_DIR)


@pytest.mark.parametrize("family", reinforce.FAMILIES)
def test_rewards_follow_the_checker_and_the_form(family: str) -> None:
    problem = FAMILIES[family].generate(random.Random(3), 2, "wide")

    def score(text: str, ended: bool = True) -> float:
        return reinforce.reward(problem, reinforce.Reply([1], text), ended)

    assert score(f"A thought.\n</think>\n{problem.answer}") == 1
    assert score("A thought.\n</think>\nI do not know.") == pytest.approx(0.1)
    assert score(problem.answer) == 0 and score(f"x</think>\n{problem.answer}", ended=False) == 0
    assert score("x</think>\n") == 0 and score(f"x</think></think>{problem.answer}") == 0


def test_advantages_sum_to_nothing_and_equal_rewards_teach_nothing() -> None:
    values = reinforce.advantages([1, 0.1, 0.1, 0])
    assert abs(sum(values)) < 1e-5 and values[0] > 0 > values[3]
    assert reinforce.advantages([0.1] * 5) == [0.0] * 5


def test_a_sample_is_the_models_own_and_stops_at_the_end_mark() -> None:
    torch.manual_seed(0)
    model = HybridLM(replace(preset("micro"), vocab_size=20)).eval()
    drawn = reinforce.sample(model, [1, 2, 3], 40, 12, end=5, temperature=1.0, generator=torch.Generator().manual_seed(1))
    assert any(5 in reply for reply in drawn) and any(len(reply) == 12 for reply in drawn)
    assert all(5 not in reply[:-1] for reply in drawn)
    # At next to no temperature it is the greedy reply, computed here over the whole text each time.
    cold = reinforce.sample(model, [1, 2, 3], 2, 6, end=99, temperature=1e-4, generator=torch.Generator().manual_seed(1))
    tokens = [1, 2, 3]
    for _ in range(6):
        tokens.append(int(model(torch.tensor([tokens]))[0][0, -1].argmax()))
    assert cold == [tokens[3:]] * 2


def test_weighted_steps_raise_the_chance_of_what_was_rewarded() -> None:
    torch.manual_seed(0)
    model = HybridLM(replace(preset("micro"), vocab_size=20))
    prompt, good, bad = [1, 2, 3], [7, 8, 5], [9, 4, 5]
    batch = reinforce.weighted_batch(prompt, [good, bad], [1.0, -1.0], 16, pad=0)
    assert batch.weights is not None
    assert batch.targets[0, 2:5].tolist() == good and int((batch.targets != -100).sum()) == 6
    assert batch.weights[1, 2:5].tolist() == [-1, -1, -1] and float(batch.weights.abs().sum()) == 6

    @torch.no_grad()
    def chance(reply: list[int]) -> float:
        logits = model(torch.tensor([prompt + reply]))[0][0, 2:5].log_softmax(-1)
        return float(logits[range(3), reply].sum())

    before = chance(good), chance(bad)
    for _ in range(4):
        hidden, _ = model.model(batch.tokens, batch.starts, document_mask(batch.starts))
        model.zero_grad()
        model.loss(hidden, batch.targets, batch.weights).backward()
        for optimiser in build_optimisers(model, 3e-3, 0.0):
            optimiser.step()
    assert chance(good) > before[0] + 0.1 and chance(bad) < before[1] - 0.1


def test_a_stage_of_it_runs_in_the_trainer(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(tokenizers_.DEFAULT_DIR / "tokenizer.json", data)
    options = argparse.Namespace(
        preset="micro", data=str(data), run=str(tmp_path / "run"), stages="reinforce:3", init=None, rows=3, length=160, lr=1e-3,
        weight_decay=0.0, decay=0.4, seed=3, minutes=0, finish_minutes=0, save_minutes=60, report=1, evaluate=100, threads=1, processes=1,
        compile=False, bf16=False, precision="plain", teacher=None, layerwise=False,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"tidepool_model\.posttraining\.reinforce"):
        Run(options).train()
    Run(options, {"reinforce": reinforce.batches}).train()
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["stage"] for line in lines] == ["reinforce"] * 3
    options.stages = "reinforce:4"
    resumed = Run(options, {"reinforce": reinforce.batches})
    resumed.train()
    assert resumed.step == 4
