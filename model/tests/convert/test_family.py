"""Models of the family are made of a trained one: experts compute what the MLP did, the twin and the pruned keep what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tidepool_model.architecture.config import ConfigError, ModelConfig, preset
from tidepool_model.architecture.model import HybridLM
from tidepool_model.convert.minipuzzle import Candidate, against_parent, bytes_at, candidates, chances, cut, layer_importance, search, unit_order
from tidepool_model.convert.twin import twin, twin_config
from tidepool_model.convert.upcycle import Mixture, upcycle, upcycled_config

CONFIG = replace(preset("micro"), vocab_size=120, intermediate_size=96)
ROWS = torch.randint(0, 120, (6, 64), generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def model() -> HybridLM:
    torch.manual_seed(1)
    model = HybridLM(CONFIG).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.copy_(torch.randn_like(parameter) * parameter.shape[1] ** -0.5)
    return model


@torch.no_grad()
def test_experts_compute_what_the_mlp_did_at_as_many_active_parameters(model: HybridLM) -> None:
    made = upcycle(model, ROWS, Mixture(8, 2, 16))
    assert made.config.pattern == "MEM*E" and made.config.moe_shared_expert_intermediate_size == 64
    assert (made(ROWS)[0] - model(ROWS)[0]).abs().max() < 1e-4
    router = 2 * 8 * CONFIG.hidden_size
    assert made.config.active_parameters(made.parameter_count) == model.parameter_count + router
    with torch.no_grad():  # it is the experts that compute it
        made.model.layers[1].mixer.experts.down_proj.zero_()
    assert (made(ROWS)[0] - model(ROWS)[0]).abs().max() > 0.1


@torch.no_grad()
def test_groups_of_experts_see_different_tokens(model: HybridLM) -> None:
    made = upcycle(model, ROWS, Mixture(8, 2, 16))
    seen: list[torch.Tensor] = []
    made.model.layers[1].mixer.gate.register_forward_hook(lambda _, __, weights: seen.append((weights > 0).float().mean((0, 1))))
    made(ROWS)
    share = seen[0].view(4, 2)
    assert torch.equal(share[:, 0], share[:, 1])  # a token takes a whole group
    assert share.sum() == pytest.approx(2) and share.min() > 0.02


def test_a_latent_width_keeps_bytes_and_active_parameters(model: HybridLM) -> None:
    plain, latent = (upcycle(model, ROWS, Mixture(8, 2, 16, width)) for width in (None, 32))
    config = latent.config
    assert (config.n_routed_experts, config.num_experts_per_tok, config.moe_shared_expert_intermediate_size) == (16, 4, 32)
    assert latent.model.layers[1].mixer.experts.up_proj.shape == (16, 16, 32)
    assert latent.parameter_count - plain.parameter_count == 2 * 8 * CONFIG.hidden_size  # the router's rows
    with torch.no_grad():
        exact, near = model(ROWS)[0], latent(ROWS)[0]
        nothing = [layer.mixer.experts.down_proj.zero_() for layer in latent.model.layers if layer.letter == "E"]
        without = latent(ROWS)[0]
    assert len(nothing) == 2 and (near - exact).norm() < 0.8 * (without - exact).norm()


@pytest.mark.parametrize(
    ("mixture", "said"),
    [
        (Mixture(8, 3, 16), "whole groups of 3"),
        (Mixture(8, 2, 16, 0), "latent width 0"),
        (Mixture(8, 2, 16, 24), "latent width 24"),
        (Mixture(8, 2, 48), "leave no shared expert"),
    ],
)
def test_a_mixture_that_does_not_fit_is_refused(mixture: Mixture, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        upcycled_config(CONFIG, mixture)
    with pytest.raises(ConfigError, match="no MLP"):
        upcycled_config(replace(CONFIG, pattern="M*"), Mixture(8, 2, 16))


@torch.no_grad()
def test_the_twin_has_as_many_parameters_and_keeps_the_rest(model: HybridLM) -> None:
    small = preset("small")
    whole, attention = (HybridLM(config).parameter_count for config in (small, twin_config(small)))
    assert abs(attention / whole - 1) < 0.02
    made = twin(model, "attention")
    assert made.config.pattern == "*-**-"
    x = torch.randn(3, CONFIG.hidden_size)
    for kept in (1, 4):
        assert torch.allclose(made.model.layers[kept].mixer(x), model.model.layers[kept].mixer(x), atol=1e-5)
    assert torch.equal(made.model.layers[3].mixer.q_proj.weight, model.model.layers[3].mixer.q_proj.weight)
    again = twin(model, "mamba")
    assert again.config == model.config
    assert not torch.equal(again.model.layers[0].mixer.in_proj.weight, model.model.layers[0].mixer.in_proj.weight)
    with pytest.raises(ConfigError, match="needs Mamba layers"):
        twin_config(replace(CONFIG, pattern="*-"))


@torch.no_grad()
def test_a_layer_that_does_nothing_has_no_importance_and_goes_first(model: HybridLM) -> None:
    idle = HybridLM(CONFIG).eval()
    idle.load_state_dict(model.state_dict())
    idle.model.layers[2].mixer.out_proj.weight.zero_()
    importance = layer_importance(idle, ROWS)
    assert importance[2] == 0 and min(importance[:2] + importance[3:]) > 1e-4
    found = list(candidates(CONFIG, importance, [96, 64]))
    assert len(found) == 2 * 1 * 2 * 2
    assert all(0 in candidate.layers for candidate in found)
    without = cut(idle, Candidate((0, 1, 3, 4), 96), unit_order(idle, ROWS))
    assert without.config.pattern == "M-*-"
    same, divergence = against_parent(without, ROWS, chances(idle, ROWS))
    assert same == 1 and abs(divergence) < 1e-5


@torch.no_grad()
def test_dead_units_are_the_ones_cut(model: HybridLM) -> None:
    dead = HybridLM(CONFIG).eval()
    dead.load_state_dict(model.state_dict())
    for layer in (1, 4):
        dead.model.layers[layer].mixer.up_proj.weight[::3] = 0
    made = cut(dead, Candidate((0, 1, 2, 3, 4), 64), unit_order(dead, ROWS))
    assert (made(ROWS)[0] - dead(ROWS)[0]).abs().max() < 1e-4


def test_the_search_keeps_to_its_budget_and_ranks_twice(model: HybridLM) -> None:
    best, table, _ = search(model, ROWS.repeat(3, 1), 0.9, 256, [96, 64], second=4)
    parent = bytes_at(CONFIG, model.parameter_count, 256)
    assert table["parentBytes"] == parent and all(line["bytes"] <= 0.9 * parent for line in table["candidates"])
    assert [line["rankAfter"] for line in table["candidates"]] == [1, 2, 3, 4]
    assert sorted(line["rankBefore"] for line in table["candidates"]) == [1, 2, 3, 4]
    kl = [line["kl"] for line in table["candidates"]]
    assert kl == sorted(kl) and kl[0] > 0 and len(best) == 4
    with pytest.raises(ConfigError, match="no candidate fits"):
        search(model, ROWS, 0.01, 256, [96])


def test_bytes_count_weights_states_and_a_cache_that_grows() -> None:
    config = ModelConfig(pattern="M*", hidden_size=64)
    grown = bytes_at(config, 0, 1001) - bytes_at(config, 0, 1000)
    assert grown == 4 * 2 * config.num_key_value_heads * config.head_dim
    assert bytes_at(config, 0, 0) == 4 * (6 * 64 * 64 + (384 + 128) * 3) and bytes_at(config, 7, 0) - bytes_at(config, 0, 0) == 7
