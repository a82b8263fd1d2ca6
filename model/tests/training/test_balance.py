"""The bias that steers the choice of experts evens out their load; the sequence loss says how uneven it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tidepool_model.architecture.config import preset
from tidepool_model.architecture.model import HybridLM
from tidepool_model.training.balance import SEQUENCE_LOSS, move_biases, routers, sequence_loss

CONFIG = replace(preset("micro"), vocab_size=64, pattern="ME", n_routed_experts=8, num_experts_per_tok=2, moe_intermediate_size=8, moe_shared_expert_intermediate_size=8)
TOKENS = torch.randint(0, 64, (4, 32), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def model() -> HybridLM:
    torch.manual_seed(4)
    model = HybridLM(CONFIG)
    with torch.no_grad():
        next(routers(model)).weight.mul_(40)
        next(routers(model)).weight[0] += 0.5 * next(routers(model)).weight[1]
    return model


def test_the_bias_evens_out_the_load_once_a_step(model: HybridLM) -> None:
    violations = []
    for _ in range(60):
        for piece in TOKENS.split(2):  # two forward passes of one step count together
            model.model(piece)
        assert next(routers(model)).counts.sum() == 2 * TOKENS.numel()
        violations.append(move_biases(model, 0.01))
    assert violations[0] is not None and violations[-1] is not None
    assert violations[0] > 1.5 and violations[-1] < 1 + 0.5 * (violations[0] - 1)
    router = next(routers(model))
    assert router.counts.sum() == 0 and router.e_score_correction_bias.abs().max() <= 0.61
    with torch.no_grad():
        model.model(TOKENS)
    assert router.counts.sum() == 0  # only training counts


def test_counts_of_other_processes_are_added_before_the_bias_moves(model: HybridLM) -> None:
    model.model(TOKENS)
    router = next(routers(model))
    own = router.counts.clone()

    def add_up(counts: list[torch.Tensor]) -> None:
        counts[0] += own.max() - own  # the others' loads make up for ours

    assert move_biases(model, 0.1, add_up) == pytest.approx(1)
    assert router.e_score_correction_bias.abs().sum() == 0


def test_weights_come_from_scores_without_the_bias(model: HybridLM) -> None:
    router = next(routers(model))
    x = torch.randn(1, 5, CONFIG.hidden_size)
    with torch.no_grad():
        router.e_score_correction_bias[3] = 10  # chosen always, weighed as little as before
        weights, scores = router(x), (x @ router.weight.T).sigmoid()
    assert (weights > 0).sum(-1).eq(2).all() and (weights[..., 3] > 0).all()
    assert weights.sum(-1).allclose(torch.full((1, 5), CONFIG.routed_scaling_factor))
    other = weights.clone()
    other[..., 3] = 0
    chosen = other.argmax(-1, keepdim=True)
    assert (weights[..., 3:4] / other.gather(-1, chosen)).allclose(scores[..., 3:4] / scores.gather(-1, chosen), rtol=1e-4)


def test_the_sequence_loss_is_one_where_all_are_used_alike_and_trains_the_router(model: HybridLM) -> None:
    router = next(routers(model))
    even = torch.full((1, 8, 8), 0.5) + 0.1 * torch.eye(8) + 0.1 * torch.eye(8).roll(1, 1)
    assert router.sequence_balance(even).item() == pytest.approx(1, abs=1e-5)
    uneven = torch.full((1, 8, 8), 0.1)
    uneven[..., :2] = 0.9
    assert router.sequence_balance(uneven).item() == pytest.approx(8 * 0.9 / 2.4, rel=1e-5)
    model.model(TOKENS)
    loss = sequence_loss(model)
    assert loss is not None and SEQUENCE_LOSS < loss.item() < 8 * SEQUENCE_LOSS
    loss.backward()
    assert router.weight.grad is not None and router.weight.grad.abs().sum() > 0


def test_a_model_without_experts_has_nothing_to_balance() -> None:
    plain = HybridLM(replace(CONFIG, pattern="M-"))
    plain.model(TOKENS)
    assert sequence_loss(plain) is None and move_biases(plain, 0.1) is None
