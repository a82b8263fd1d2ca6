"""Grouped-query attention without rotary embedding, as in Nemotron-H: the Mamba layers carry the order."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig


@dataclass
class KeyValueCache:
    """Keys and values of all tokens so far; grows by one column a token."""

    key: Tensor  # (batch, kv_heads, seq, head_dim)
    value: Tensor  # (batch, kv_heads, seq, head_dim)


class Attention(nn.Module):
    """Causal attention; `num_key_value_heads` keys and values serve `num_attention_heads` queries."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        query = config.num_attention_heads * config.head_dim
        shared = config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden_size, query, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, shared, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, shared, bias=False)
        self.o_proj = nn.Linear(query, config.hidden_size, bias=False)

    def forward(
        self, x: Tensor, cache: KeyValueCache | None = None, mask: Tensor | None = None, keep_state: bool = False
    ) -> tuple[Tensor, KeyValueCache | None]:
        """x (batch, seq, hidden) -> (batch, seq, hidden). `mask` (batch, 1, seq, total): True where attended."""
        head_dim = self.config.head_dim
        q = self.q_proj(x).unflatten(-1, (-1, head_dim)).transpose(1, 2)  # (batch, heads, seq, head_dim)
        k = self.k_proj(x).unflatten(-1, (-1, head_dim)).transpose(1, 2)  # (batch, kv_heads, seq, head_dim)
        v = self.v_proj(x).unflatten(-1, (-1, head_dim)).transpose(1, 2)  # (batch, kv_heads, seq, head_dim)
        if cache is not None:
            k = torch.cat([cache.key, k], 2)  # (batch, kv_heads, total, head_dim)
            v = torch.cat([cache.value, v], 2)
            if mask is None:
                total, length = k.shape[2], q.shape[2]
                mask = torch.ones(length, total, dtype=torch.bool, device=x.device).tril(total - length)
        repeat = self.config.num_attention_heads // self.config.num_key_value_heads
        y = F.scaled_dot_product_attention(
            q,
            k.repeat_interleave(repeat, 1),
            v.repeat_interleave(repeat, 1),
            attn_mask=mask,
            is_causal=mask is None,
        )  # (batch, heads, seq, head_dim)
        y = self.o_proj(y.transpose(1, 2).flatten(2))
        return y, KeyValueCache(k, v) if keep_state else None
