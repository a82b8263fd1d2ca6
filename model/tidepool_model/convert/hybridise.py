"""Gives blocks of a Llama Mamba-2 mixers made from their own attention weights.

x comes from V, B from K, C from Q (repeated from the shared heads to all heads; B and C divided by the fourth root of the
head's width squared, so that C·B is attention's scaled score), the output projection from O. What attention's softmax does
has no counterpart: short half-lives, the gate and the norm are learnt in its place (training/distil.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..architecture.config import ConfigError
from ..architecture.hybrid_llama import HeadwiseMamba2, RotaryAttention


def pattern_of(mamba_blocks: Sequence[int], blocks: int) -> str:
    """`[28, 29]` of 30 -> `****…*MM`. Raises ConfigError for a block named twice or not there."""
    twice = sorted({block for block in mamba_blocks if list(mamba_blocks).count(block) > 1})
    if twice:
        raise ConfigError(f"block(s) {twice} stand twice in the list of Mamba-2 blocks; name each once")
    absent = [block for block in mamba_blocks if not 0 <= block < blocks]
    if absent:
        raise ConfigError(f"block(s) {absent} are not among 0 to {blocks - 1}; mend the list of Mamba-2 blocks")
    return "".join("M" if block in mamba_blocks else "*" for block in range(blocks))


@torch.no_grad()
def mixer_from_attention(attention: RotaryAttention) -> HeadwiseMamba2:
    """A mixer that starts from an attention block's projections."""
    config = attention.config
    mixer = HeadwiseMamba2(config)
    repeat = config.num_attention_heads // config.num_key_value_heads
    root = config.head_dim**0.25  # sqrt(8) at 64: C·B = q·k / sqrt(64)

    def all_heads(rows: Tensor) -> Tensor:
        """(kv_heads · head_dim, hidden) -> (heads · head_dim, hidden), shared heads repeated."""
        return rows.unflatten(0, (config.num_key_value_heads, -1)).repeat_interleave(repeat, 0).flatten(0, 1)

    inner = config.inner_size
    weight = mixer.in_proj.weight
    weight.zero_()  # z: an open gate by its bias; Δ: a step of one by its bias
    weight[inner : 2 * inner] = all_heads(attention.v_proj.weight.float())
    weight[2 * inner : 3 * inner] = all_heads(attention.k_proj.weight.float()) / root
    weight[3 * inner : 4 * inner] = attention.q_proj.weight.float() / root
    mixer.out_proj.weight.copy_(attention.o_proj.weight.float())
    return mixer


@torch.no_grad()
def fit_norm(mixer: HeadwiseMamba2, attention: RotaryAttention, u: Tensor, rotary: tuple[Tensor, Tensor]) -> None:
    """Sets the norm's weight by least squares a channel, so that the heads say what attention's say on u (batch, seq, hidden)."""
    wanted, _ = attention.heads_out(u, rotary, None, None)  # (batch, seq, inner)
    normed, _, _ = mixer.normed_heads(u, None, None)  # (batch, seq, inner)
    wanted, normed = wanted.float(), normed.float()
    mixer.norm_weight.copy_((wanted * normed).sum((0, 1)) / normed.square().sum((0, 1)).clamp_min(1e-6))
