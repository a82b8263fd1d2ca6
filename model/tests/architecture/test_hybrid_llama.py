"""The hybrid is Llama where it attends, a plain recurrence where it has a Mamba-2 mixer, and the same in any pieces."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from tidepool_model.architecture.config import ConfigError
from tidepool_model.architecture.hybrid_checkpoint import load_hybrid
from tidepool_model.architecture.hybrid_llama import HybridLlama, HybridLlamaConfig

SIZES = dict(
    vocab_size=160, hidden_size=48, intermediate_size=64, num_attention_heads=6, num_key_value_heads=2, head_dim=8,
    mamba_n_heads=6, mamba_d_head=8, mamba_d_state=8, chunk_size=16, max_position_embeddings=256,
)  # fmt: skip


def random_hybrid(pattern: str, seed: int = 1) -> HybridLlama:
    torch.manual_seed(seed)
    model = HybridLlama(HybridLlamaConfig(pattern, **SIZES)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * parameter.shape[-1] ** -0.5 if parameter.dim() > 1 else parameter + 0.2 * torch.randn_like(parameter))
    return model


@torch.no_grad()
def logits(model: HybridLlama, ids: torch.Tensor, pieces: tuple[int, ...] = (), **packed) -> torch.Tensor:
    """(seq, vocab) of one row read in pieces of the given lengths and the rest."""
    states, past, out = None, 0, []
    for end in (*np.cumsum(pieces).tolist(), ids.shape[1]):
        hidden, states = model.hidden(ids[:, past:end], states=states, past=past, keep_state=True, **packed)
        out.append(model.logits(hidden)[0])
        past = end
    return torch.cat(out)


def test_attention_alone_is_hugging_faces_llama() -> None:
    model = random_hybrid("***")
    config = model.config
    llama = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=config.vocab_size, hidden_size=config.hidden_size, intermediate_size=config.intermediate_size, num_hidden_layers=3,
            num_attention_heads=config.num_attention_heads, num_key_value_heads=config.num_key_value_heads, head_dim=config.head_dim,
            rms_norm_eps=config.rms_norm_eps, rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            max_position_embeddings=256, tie_word_embeddings=True, attn_implementation="eager",
        )
    ).eval()  # fmt: skip
    state = {"model." + name.replace(".mixer.", ".self_attn."): value for name, value in model.state_dict().items()}
    missing, unexpected = llama.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}
    llama.tie_weights()
    ids = torch.randint(0, config.vocab_size, (1, 200), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = llama(ids).logits[0]
    assert (logits(model, ids) - expected).abs().max() < 1e-3
    assert expected.std() > 0.3


def test_the_mixer_is_the_recurrence_of_the_paper_token_by_token() -> None:
    model = random_hybrid("M")
    mixer, config = model.layers[0].mixer, model.config
    heads, inner, kernel = config.mamba_n_heads, config.inner_size, config.mamba_d_conv
    u = torch.randn(1, 45, config.hidden_size, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        got, _ = mixer(u, None, None, None, None, False)
        z, xbc, dt = (u @ mixer.in_proj.weight.T)[0].split([inner, config.conv_dim, heads], -1)
        h = torch.zeros(heads, config.mamba_d_head, config.mamba_d_state)
        rows = []
        for t in range(len(z)):
            window = [xbc[s] if s >= 0 else torch.zeros(config.conv_dim) for s in range(t - kernel + 1, t + 1)]
            conv = sum(mixer.conv_weight[:, j] * row for j, row in enumerate(window)) + mixer.conv_bias
            x, b, c = conv[:inner].view(heads, -1), F.silu(conv[inner : inner + heads * 8]).view(heads, -1), F.silu(conv[inner + heads * 8 :]).view(heads, -1)
            delta = F.softplus(dt[t] + mixer.dt_bias)  # (heads)
            decay = torch.exp(-mixer.A_log.exp() * delta)
            h = decay[:, None, None] * h + (delta[:, None] * x)[:, :, None] * b[:, None, :]
            y = (h * c[:, None, :]).sum(-1)  # (heads, head_dim)
            normed = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + config.rms_norm_eps)
            rows.append(normed.flatten() * mixer.norm_weight * F.silu(z[t] + mixer.z_bias))
        expected = torch.stack(rows) @ mixer.out_proj.weight.T
    assert (got[0] - expected).abs().max() < 1e-4


@pytest.mark.parametrize("pieces", [(1, 1, 1), (7, 16, 1), (16, 16), (40,), (1,) * 49])
def test_pieces_with_carried_state_give_what_the_whole_gives(pieces: tuple[int, ...]) -> None:
    model = random_hybrid("M*MM*")
    ids = torch.randint(0, model.config.vocab_size, (1, 50), generator=torch.Generator().manual_seed(4))
    assert (logits(model, ids, pieces) - logits(model, ids)).abs().max() < 1e-4


def test_documents_in_one_row_know_nothing_of_each_other() -> None:
    model = random_hybrid("M*M*")
    ids = torch.randint(0, model.config.vocab_size, (1, 60), generator=torch.Generator().manual_seed(5))
    starts = torch.zeros(1, 60, dtype=torch.bool)
    starts[0, [0, 23, 24]] = True
    document = starts.cumsum(-1)  # (batch, seq)
    mask = (document[:, :, None] == document[:, None, :]).tril().unsqueeze(1)  # (batch, 1, seq, seq)
    packed = logits(model, ids, starts=starts, mask=mask)
    alone = torch.cat([logits(model, ids[:, a:b]) for a, b in ((0, 23), (23, 24), (24, 60))])
    # A state that is let go keeps exp(-30) of itself.
    assert (packed - alone).abs().max() < 1e-4


def write(folder: Path, model: HybridLlama) -> Path:
    model.config.save(folder)
    save_file(model.state_dict(), folder / "model.safetensors")
    return folder


def test_a_checkpoint_that_cannot_be_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    model = random_hybrid("M*")
    folder = write(tmp_path / "good", model)
    assert load_hybrid(folder).parameter_count == sum(p.numel() for p in model.parameters())
    with pytest.raises(ConfigError, match="hybrid.json is missing; convert the base model first"):
        load_hybrid(tmp_path)
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match="model.safetensors cannot be read .* cut short or damaged; copy it again"):
        load_hybrid(folder)
    weights.unlink()
    with pytest.raises(ConfigError, match="model.safetensors is missing; copy it from the run"):
        load_hybrid(folder)
    weights.write_bytes(whole)
    HybridLlamaConfig("*M", **SIZES).save(folder)
    with pytest.raises(ConfigError, match="lacks layers.0.mixer.k_proj.weight and .* take hybrid.json and model.safetensors from the same run"):
        load_hybrid(folder)
    HybridLlamaConfig("M*", **SIZES | {"vocab_size": 161}).save(folder)
    with pytest.raises(ConfigError, match=r"embed_tokens.weight is \(160, 48\), but hybrid.json makes it \(161, 48\)"):
        load_hybrid(folder)
    with pytest.raises(ConfigError, match="pattern 'M-' has unknown letter"):
        HybridLlamaConfig("M-", **SIZES)
