"""The stack is the published architecture, and every way through it gives the same numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tidepool_model.architecture.config import ConfigError, ModelConfig, preset
from tidepool_model.architecture.mamba2 import ssd_chunked
from tidepool_model.architecture.model import CheckpointError, HybridLM, document_mask, load_pretrained, save_pretrained
from tidepool_model.training.train import carried_state

SPECIAL = {"eos_token_id": 3, "pad_token_id": 1, "bos_token_id": 0}
TINY = replace(preset("micro"), vocab_size=300)
CONFIGS = {
    "micro": TINY,
    "two groups": replace(TINY, mamba_num_heads=4, n_groups=2, mamba_head_dim=16),
    "untied": replace(TINY, tie_word_embeddings=False),
    "experts": replace(TINY, pattern="ME*E"),
    "latent experts": replace(TINY, pattern="ME*E", n_routed_experts=8, num_experts_per_tok=3, moe_latent_size=32, routed_scaling_factor=2.5),
}


def random_model(config: ModelConfig) -> HybridLM:
    """Weights large enough that a wrong term shows: vectors and norms are no longer at their neutral start."""
    torch.manual_seed(5)
    model = HybridLM(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
            else:
                parameter.add_(torch.randn_like(parameter) * 0.05)
        for name, buffer in model.named_buffers():
            if name.endswith("e_score_correction_bias"):
                buffer.normal_(std=0.1)
    return model


@pytest.fixture(params=CONFIGS, scope="module")
def model(request: pytest.FixtureRequest) -> HybridLM:
    return random_model(CONFIGS[request.param])


def tokens_of(config: ModelConfig, length: int, batch: int = 2) -> torch.Tensor:
    return torch.randint(0, config.vocab_size, (batch, length), generator=torch.Generator().manual_seed(7))


def test_scan_equals_the_recurrence_written_out() -> None:
    torch.manual_seed(0)
    batch, length, heads, head_dim, state = 2, 37, 4, 8, 16
    x = torch.randn(batch, length, heads, head_dim, dtype=torch.float64)
    log_decay = -torch.rand(batch, length, heads, dtype=torch.float64)
    b, c = torch.randn(2, batch, length, 2, state, dtype=torch.float64)
    h = torch.randn(batch, heads, head_dim, state, dtype=torch.float32).double()
    y, last = ssd_chunked(x, log_decay, b, c, 16, h)
    for t in range(length):
        bt, ct = (m[:, t].repeat_interleave(2, 1) for m in (b, c))  # (batch, heads, state)
        h = h * log_decay[:, t].exp()[..., None, None] + x[:, t, :, :, None] * bt[:, :, None, :]
        expected = (h * ct[:, :, None, :]).sum(-1)  # (batch, heads, head_dim)
        assert (y[:, t] - expected).abs().max() < 1e-4
    assert (last - h).abs().max() < 1e-4


@torch.no_grad()
def test_hugging_face_gives_the_same_logits(model: HybridLM, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    save_pretrained(model, tmp_path, SPECIAL)
    reference = transformers.NemotronHForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    tokens = tokens_of(model.config, 256)
    ours, _ = model(tokens)
    theirs = reference(tokens, use_cache=False, logits_to_keep=0).logits
    assert ours.shape == theirs.shape
    assert ours.std() > 0.05  # the comparison is of something
    assert (ours - theirs).abs().max() < 1e-3


@torch.no_grad()
def test_pieces_and_single_steps_equal_the_whole(model: HybridLM) -> None:
    tokens = tokens_of(model.config, 100)
    whole, _ = model(tokens)
    for cuts in ([0, 1, 2, 50, 64, 65, 100], list(range(101))):
        state, pieces = None, []
        for first, last in zip(cuts, cuts[1:]):
            logits, state = model(tokens[:, first:last], state)
            pieces.append(logits)
        assert (torch.cat(pieces, 1) - whole).abs().max() < 1e-3


@torch.no_grad()
@pytest.mark.parametrize("cut", [1, 2, 20, 37])
def test_a_document_goes_on_in_the_next_row_with_its_states(cut: int) -> None:
    """Two rows with the Mamba states passed on give what one row gives; without them they do not."""
    config = replace(TINY, pattern="M-MM-")
    backbone = random_model(config).model
    tokens = tokens_of(config, 50, 3)
    starts = torch.zeros(3, 50, dtype=torch.bool)
    starts[:, 0] = True
    starts[1, cut] = True  # in this row another document begins at the cut: it must not see the first
    starts[2, min(cut + 3, 49)] = True  # and in this one soon after it
    whole, _ = backbone(tokens, starts, document_mask(starts))
    first, state = backbone(tokens[:, :cut], starts[:, :cut], document_mask(starts[:, :cut]), None, True)
    kept = carried_state(state, ~starts[:, cut])
    assert kept is not None and sorted(kept.layers) == [0, 2, 3]
    rest = starts[:, cut:]
    second, _ = backbone(tokens[:, cut:], rest, document_mask(rest), kept, True)
    assert (torch.cat([first, second], 1) - whole).abs().max() < 1e-4
    forgotten, _ = backbone(tokens[:, cut:], rest, document_mask(rest))
    assert (forgotten[0] - second[0]).abs().max() > 1e-2
    assert (forgotten[1] - second[1]).abs().max() < 1e-5


@torch.no_grad()
def test_a_packed_document_does_not_see_its_neighbours(model: HybridLM) -> None:
    first, second, third = (tokens_of(model.config, n, 1) for n in (5, 40, 30))
    row = torch.cat([first, second, third], 1)
    starts = torch.zeros_like(row, dtype=torch.bool)
    starts[0, [0, 5, 45]] = True
    packed, _ = model.model(row, starts, document_mask(starts))
    for begin, document in ((0, first), (5, second), (45, third)):
        alone, _ = model.model(document)
        assert (packed[:, begin : begin + document.shape[1]] - alone).abs().max() < 1e-4


def test_checkpoint_survives_the_round_trip_and_its_faults_are_named(model: HybridLM, tmp_path: Path) -> None:
    save_pretrained(model, tmp_path, SPECIAL)
    tokens = tokens_of(model.config, 20)
    with torch.no_grad():
        assert torch.equal(load_pretrained(tmp_path)(tokens)[0], model(tokens)[0])
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"model\.safetensors.*1000 bytes"):
        load_pretrained(tmp_path)
    weights.unlink()
    with pytest.raises(CheckpointError, match="missing"):
        load_pretrained(tmp_path)


def test_bad_configs_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'X'"):
        replace(TINY, pattern="MX*")
    with pytest.raises(ConfigError, match="num_key_value_heads"):
        replace(TINY, num_key_value_heads=3)
    with pytest.raises(ConfigError, match="moe_latent_size is 0"):
        replace(TINY, moe_latent_size=0)
    with pytest.raises(ConfigError, match="num_experts_per_tok is 9 of n_routed_experts 8"):
        replace(TINY, n_routed_experts=8, num_experts_per_tok=9)
    with pytest.raises(ConfigError, match="no preset 'huge'"):
        preset("huge")
    with pytest.raises(ConfigError, match=r"config\.json is missing"):
        ModelConfig.from_hf(tmp_path / "config.json")


def test_presets_have_the_sizes_they_promise() -> None:
    sizes = {name: HybridLM(preset(name)).parameter_count / 1e6 for name in ("micro", "small", "base")}
    assert sizes["micro"] < 0.9
    assert 3 <= sizes["small"] <= 6
    assert 20 <= sizes["base"] <= 30
