"""Teaching Lagoon: what a row holds, the schedule, a model held to itself, and a run that is stopped and goes on."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from tidepool_model.architecture.grid import BLOCK
from tidepool_model.architecture.hybrid_checkpoint import write_hybrid
from tidepool_model.architecture.hybrid_llama import HybridLlama, HybridLlamaConfig
from tidepool_model.data.lagoon.mix import flat
from tidepool_model.data.lagoon.taught_rows import LONG_ROW, ROW, UNTRAINED, Rows
from tidepool_model.training.teach import Schedule, Teacher
from tidepool_model.training.team import Member, share

TOKENIZER = Path(__file__).parents[2] / "tokenizer/tokenizer.json"
VOCABULARY = 4096


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few documents and replies as mix.py writes them, and rows of text."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(1)
    draw = lambda size: random.integers(12, 200, size).astype(np.uint16)
    ids = [draw(size) for size in random.integers(40, 120, 30)]
    masks = [np.array([0] * 20 + [1] * (len(piece) - 20), np.uint8) for piece in ids]
    a, b = flat(ids, np.uint16), flat(masks, np.uint8)
    np.savez(folder / "taught.npz", ids=a["values"], masks=b["values"], offsets=a["offsets"])
    kept = {name: flat([draw(size) for size in sizes], np.uint16) for name, sizes in (("ours", [14] * 20), ("base", [30] * 20), ("reply", [25] * 20))}
    np.savez(folder / "kept.npz", **{f"{name}_{key}": value for name, part in kept.items() for key, value in part.items()})
    np.save(folder / "plain.npy", random.integers(12, 200, (8, ROW + 1)).astype(np.uint16))
    return folder


@pytest.fixture
def rows(data: Path) -> Rows:
    return Rows(data, data / "plain.npy", TOKENIZER, 3)


def test_a_taught_row_trains_replies_and_no_first_token(rows: Rows, data: Path) -> None:
    row = rows.taught()
    starts = row.starts[0].nonzero()[:, 0].tolist()
    assert row.tokens.shape == row.targets.shape == (1, ROW) and len(starts) > 3
    share = (row.targets != UNTRAINED).float().mean()
    assert 0.5 < share < 0.85
    trained = (row.targets[0] != UNTRAINED).nonzero()[:, 0]
    assert torch.equal(row.targets[0, trained[:-1]], row.tokens[0, trained[:-1] + 1])  # each target is the next token
    assert all(start - 1 not in trained for start in starts if start)


def test_kept_replies_stand_behind_both_prompts(rows: Rows) -> None:
    row = rows.kept_replies()
    assert len(row.at) == len(row.base_at) > 200
    assert torch.equal(row.tokens[0, row.at + 1], row.base_tokens[0, row.base_at + 1])


def test_a_far_row_asks_at_its_end_for_what_was_said_before(rows: Rows) -> None:
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    distances = []
    for _ in range(20):
        row = rows.far()
        assert row.tokens.shape == (1, LONG_ROW)
        text = tokenizer.decode(row.tokens[0].tolist())
        question, answer = text[text.rindex("Question:") :].split("\nAnswer:")
        assert answer.strip() in text[: text.rindex("Question:")]
        length = len(tokenizer.encode(answer, add_special_tokens=False).ids)
        assert set(range(LONG_ROW - length - 1, LONG_ROW - 1)) <= set(row.at.tolist())  # the whole answer is compared
        distances.append(text.rindex("Question:") - text.index(answer.strip()))
    assert max(distances) > 3 * min(distances)


def schedule(**changed: float) -> Schedule:
    options = {"steps": 100, "finish_minutes": 0.0, "done_before": 0.0, "rate": 1.0, "warmup": 10} | changed
    return Schedule(argparse.Namespace(**options), 20, time.time())


def test_the_rate_rises_after_each_start_and_falls_to_zero() -> None:
    rates = [schedule().rate(step) for step in range(20, 101)]
    assert rates[0] == pytest.approx(0.08) and max(rates) == rates[9] == pytest.approx(0.71)
    assert rates[-1] == 0 and all(a > b for a, b in zip(rates[9:], rates[10:], strict=False))
    late = schedule(finish_minutes=10.0, done_before=0.4)
    assert late.done(20) == pytest.approx(0.4, abs=0.01)
    late.began -= 5 * 60
    assert late.done(20) == pytest.approx(0.7, abs=0.01) and not late.is_over()
    late.began -= 6 * 60
    assert late.is_over() and late.rate(90) == 0


def small(pattern: str, seed: int) -> HybridLlama:
    torch.manual_seed(seed)
    model = HybridLlama(HybridLlamaConfig(pattern, vocab_size=VOCABULARY))
    for parameter in model.parameters():
        if parameter.dim() == 2 and min(parameter.shape) > 4:
            torch.nn.init.normal_(parameter, std=0.04)
    return model


def test_a_model_held_to_itself_diverges_by_nothing(rows: Rows) -> None:
    base = small("*", 1).eval()
    same = small("*", 1)
    _, counts = Teacher(same, base, rows, 1.0).row("far")
    assert counts.kl / counts.kl_tokens == pytest.approx(0, abs=0.05)  # but for control tokens that the base never had
    _, others = Teacher(small("*", 2), base, rows, 1.0).row("text")
    assert others.kl / others.kl_tokens > 0.3 and others.same < counts.same


@pytest.mark.slow
def test_a_run_that_is_stopped_saves_and_goes_on(data: Path, tmp_path: Path) -> None:
    model = small("*M", 4)
    scales = {"layers.1.mlp.up_proj.weight": torch.full((1536, 576 // BLOCK), 0.02)}
    write_hybrid(tmp_path / "start", model.config, dict(model.named_parameters()), scales, TOKENIZER)
    torch.save(small("**", 4).state_dict(), tmp_path / "base.pt")
    words = [sys.executable, "-m", "tidepool_model.training.teach", tmp_path / "start", "--base", tmp_path / "base.pt", "--data", data, "--plain", data / "plain.npy", "--run", tmp_path / "run", "--processes", "1", "--share", "2", "--keep", "1000"]

    def begin(steps: int) -> subprocess.Popen[str]:
        return subprocess.Popen([*map(str, words), "--steps", str(steps)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2], env=os.environ | {"OMP_NUM_THREADS": "1"})

    first = begin(500)
    assert first.stdout is not None
    assert json.loads(first.stdout.readline())["step"] == 0
    first.send_signal(signal.SIGTERM)
    said, _ = first.communicate(timeout=120)
    reached = json.loads(said.splitlines()[-1])["step"]
    assert (tmp_path / "run/checkpoint/model.safetensors").exists() and 0 < reached < 400
    second = begin(reached + 4)
    lines = [json.loads(line) for line in second.communicate(timeout=120)[0].splitlines()]
    assert lines[-1]["step"] == reached + 3 and all(line["step"] > reached for line in lines)


def test_a_gradient_that_is_no_number_stops_the_run_before_it_reaches_a_weight() -> None:
    module = torch.nn.Linear(4, 4, bias=False)
    named = list(module.named_parameters())
    team = share(named, 1, 1)
    member = Member(team, 0, named)
    team.barrier = type("Alone", (), {"wait": lambda self: None})()
    before = team.parameters[0].master.clone()
    (module(torch.ones(1, 4, dtype=module.weight.dtype)) * torch.nan).sum().backward()
    member.add(1.0, [0.0])
    with pytest.raises(FloatingPointError, match="update 1 has a norm of nan; nothing was updated"):
        member.step(1e-3)
    assert torch.equal(team.parameters[0].master, before)
