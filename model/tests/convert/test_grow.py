"""Growth: the same function, and nothing of what is new is dead."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tidepool_model.architecture.config import ConfigError, ModelConfig
from tidepool_model.architecture.model import HybridLM
from tidepool_model.convert.grow import grow

SMALL = ModelConfig(
    pattern="M-*M-*", hidden_size=32, vocab_size=80, mamba_num_heads=2, mamba_head_dim=16, ssm_state_size=8,
    num_attention_heads=4, num_key_value_heads=2, head_dim=8, intermediate_size=48, chunk_size=16,
    layer_norm_epsilon=1e-10,  # growth is exact but for it
)  # fmt: skip
LARGE = replace(SMALL, hidden_size=48, mamba_num_heads=5, num_attention_heads=6, intermediate_size=80)


@pytest.fixture()
def model() -> HybridLM:
    torch.manual_seed(0)
    model = HybridLM(SMALL)
    with torch.no_grad():
        for parameter in model.parameters():  # far from the initial values, as after training
            parameter += 0.2 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize("tied", [True, False])
def test_the_grown_model_computes_the_same(model: HybridLM, tied: bool) -> None:
    if not tied:
        model = HybridLM(replace(SMALL, tie_word_embeddings=False))
    tokens = torch.randint(0, 80, (2, 40), generator=torch.Generator().manual_seed(1))
    before, state = model(tokens)
    wider = grow(model, replace(LARGE, tie_word_embeddings=tied))
    after, wide_state = wider(tokens)
    assert before.abs().max() > 0.1
    assert torch.allclose(before, after, atol=1e-4), (before - after).abs().max()
    # And goes on the same from its own state.
    assert torch.allclose(model(tokens[:, :5], state)[0], wider(tokens[:, :5], wide_state)[0], atol=1e-4)
    assert wider.parameter_count > 1.5 * model.parameter_count


def test_all_that_is_new_learns(model: HybridLM) -> None:
    """After two steps every number of the grown model has moved: no zero blocks another for good."""
    wider = grow(model, LARGE)
    start = {name: p.detach().clone() for name, p in wider.named_parameters()}
    optimiser = torch.optim.AdamW(wider.parameters(), lr=1e-2, weight_decay=0)
    tokens = torch.arange(80).repeat(2, 1)[:, torch.randperm(80)]
    for _ in range(3):
        optimiser.zero_grad()
        logits, _ = wider(tokens)
        torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()).backward()
        optimiser.step()
    for name, parameter in wider.named_parameters():
        still = (parameter == start[name]).float().mean().item()
        assert still < 0.02, f"{still:.0%} of {name} has not moved"


@pytest.mark.parametrize(
    ("change", "named"),
    [({"pattern": "M-M-M*"}, "pattern"), ({"hidden_size": 24}, "hidden_size"), ({"head_dim": 16}, "head_dim"), ({"vocab_size": 90}, "vocab_size")],
)
def test_what_can_not_grow_is_refused(model: HybridLM, change: dict, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        grow(model, replace(LARGE, **change))
