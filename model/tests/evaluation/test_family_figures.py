"""Held-out losses by document with paired intervals, and experts' loads by kind of token."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tidepool_model.architecture.config import preset
from tidepool_model.architecture.model import HybridLM, save_pretrained
from tidepool_model.data.packing import PackedStage
from tidepool_model.evaluation import held_out
from tidepool_model.evaluation.decode_cost import step_costs
from tidepool_model.evaluation.expert_load import KINDS, kind_of, load_by_kind
from tidepool_model.evaluation.held_out import difference, document_losses


@pytest.fixture
def stage(tmp_path: Path) -> PackedStage:
    """Three conversations, whose first half is the user's, and one plain text."""
    rng = np.random.default_rng(1)
    documents = [rng.integers(0, 60, size).astype(np.uint16) for size in (20, 33, 9, 25)]
    masks = [np.concatenate([np.zeros(len(d) // 2, np.uint8), np.ones(len(d) - len(d) // 2, np.uint8)]) for d in documents]
    masks[3][:] = 1
    starts = np.cumsum([0, *(len(d) for d in documents)])[:-1].astype(np.uint32)
    for kind, array in (("tokens", np.concatenate(documents)), ("mask", np.concatenate(masks)), ("docs", starts)):
        array.tofile(tmp_path / f"held_out.{kind}.bin")
    return PackedStage(tmp_path, "held_out")


def test_seeds_are_held_against_their_own_controls(stage: PackedStage, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(4):
        torch.manual_seed(seed)
        save_pretrained(HybridLM(replace(preset("micro"), vocab_size=60)), tmp_path / str(seed), {"eos_token_id": 3, "pad_token_id": 1, "bos_token_id": 0})
    asked = ["held_out", str(tmp_path / "0"), str(tmp_path / "1"), "--data", str(tmp_path)]
    monkeypatch.setattr("sys.argv", [*asked, "--control", str(tmp_path / "2"), "--control", str(tmp_path / "3")])
    assert held_out.main() == 0
    two, three, zero, one, mean = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert zero["gap"] == pytest.approx(zero["loss"] - two["loss"], abs=2e-5) and one["gap"] == pytest.approx(one["loss"] - three["loss"], abs=2e-5)
    assert mean["gap"] == pytest.approx((zero["gap"] + one["gap"]) / 2, abs=2e-5) and mean["low"] <= mean["gap"] <= mean["high"]
    monkeypatch.setattr("sys.argv", ["held_out", str(tmp_path / "0"), *asked[1:], "--control", str(tmp_path / "2"), "--control", str(tmp_path / "3")])
    with pytest.raises(SystemExit):
        held_out.main()
    assert "once for each" in capsys.readouterr().err


@torch.no_grad()
def test_a_documents_loss_is_its_own_wherever_it_is_packed(stage: PackedStage) -> None:
    torch.manual_seed(2)
    model = HybridLM(replace(preset("micro"), vocab_size=60)).eval()
    losses, counts = document_losses(model, stage, length=64, rows=2)
    assert counts.tolist() == [10, 17, 5]  # the plain text is left out
    for index, (loss, count) in enumerate(zip(losses, counts, strict=True)):
        ids = torch.from_numpy(stage.tokens[stage.starts[index] : stage.ends[index]].astype(np.int64))[None]
        alone = F.cross_entropy(model(ids)[0][0, :-1], ids[0, 1:], reduction="none")[-count:].sum()
        assert loss == pytest.approx(alone.item(), abs=1e-3)


def test_the_interval_is_paired() -> None:
    rng = np.random.default_rng(0)
    counts = np.full(300, 10)
    control = rng.uniform(1, 100, 300)  # documents differ far more than the two models
    gap, low, high = difference(control + 0.5 + rng.normal(0, 0.2, 300), control, counts)
    assert low < gap < high and high - low < 0.01 and gap == pytest.approx(0.05, abs=0.005)


def test_loads_are_shares_of_a_kinds_choices(stage: PackedStage) -> None:
    torch.manual_seed(3)
    config = replace(preset("micro"), vocab_size=60, pattern="ME", n_routed_experts=4, num_experts_per_tok=1, moe_intermediate_size=8, moe_shared_expert_intermediate_size=8)
    model = HybridLM(config)
    with torch.no_grad():
        model.model.layers[1].mixer.gate.e_score_correction_bias[2] = 5
    found = load_by_kind(model, stage, torch.arange(60) % 3, rows=4, length=64)
    assert list(found) == ["1"] and list(found["1"]) == ["0", "1", "2", "3"]
    assert found["1"]["2"] == {"digits": 1, "names": 1, "verbs": 1, "other": 0}  # none is `other` here
    assert [kind_of(text) for text in (" 7", "Tom", " gave", " Is", "cat", "")] == ["digits", "names", "verbs", "verbs", "other", "other"]
    assert len(KINDS) == 4


class _Spinner:
    """Takes a set processor time a step, and knows its place as OnnxRunner does."""

    def __init__(self, rounds: int) -> None:
        self.rounds, self.states, self.seen = rounds, {"state": np.zeros(1)}, 0
        self.places: list[int] = []

    def reset(self) -> None:
        self.seen = 0

    def feed(self, ids: np.ndarray, keep: int) -> None:
        self.seen += len(ids)
        self.places.append(self.seen)
        sum(range(self.rounds))


def test_a_step_is_timed_after_its_context_again_and_again() -> None:
    slow, fast = _Spinner(400_000), _Spinner(100_000)
    found = step_costs({"slow": slow, "fast": fast}, 100, rounds=3, steps=4)  # type: ignore[dict-item]
    assert slow.places == [64, 100, *([101, 102, 103, 104] * 3)]
    assert 2 < min(found["slow"]) / min(found["fast"]) < 8
