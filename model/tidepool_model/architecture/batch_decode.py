"""Writes replies in batches with a HybridLlama on one thread of a CPU; prompts of one length at a time, so nothing is padded.

The limit on thinking is the app's (src/core/budget): at the soft limit the thought ends with its line or sentence, after a
grace of sixteen tokens wherever it stands; then the close of the chat form is forced. Not here: what a reply is worth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from .attention import KeyValueCache
from .hybrid_llama import HybridLlama, RotaryAttention, rotary_tables, rotate
from .mamba2 import MambaState

NARROW_AT = 0.85  # share of rows still writing at which the batch is narrowed: that costs a copy of all states


class RoomyCache:
    """Keys and values with room for more tokens: new columns are written in place."""

    def __init__(self, cache: KeyValueCache, room: int) -> None:
        batch, heads, used, width = cache.key.shape
        self.keys = cache.key.new_zeros(batch, heads, used + room, width)
        self.values = cache.value.new_zeros(batch, heads, used + room, width)
        self.keys[:, :, :used], self.values[:, :, :used] = cache.key, cache.value
        self.used = used

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """key, value (batch, heads, 1, head_dim) -> all so far (batch, heads, seq, head_dim)."""
        self.keys[:, :, self.used : self.used + 1] = key
        self.values[:, :, self.used : self.used + 1] = value
        self.used += 1
        return self.keys[:, :, : self.used], self.values[:, :, : self.used]

    def narrow(self, rows: Tensor) -> None:
        self.keys, self.values = self.keys[rows], self.values[rows]


def decode_attention(attention: RotaryAttention, u: Tensor, rotary: tuple[Tensor, Tensor], cache: RoomyCache) -> Tensor:
    """One token of each row: u (batch, 1, hidden) -> (batch, 1, hidden). Query heads of a shared head stand as a sequence."""
    head_dim, shared = attention.config.head_dim, attention.config.num_key_value_heads
    q = attention.q_proj(u).unflatten(-1, (-1, head_dim)).transpose(1, 2)  # (batch, heads, 1, head_dim)
    k = attention.k_proj(u).unflatten(-1, (-1, head_dim)).transpose(1, 2)  # (batch, kv_heads, 1, head_dim)
    v = attention.v_proj(u).unflatten(-1, (-1, head_dim)).transpose(1, 2)
    keys, values = cache.append(rotate(k, *rotary), v)
    grouped = rotate(q, *rotary).squeeze(2).unflatten(1, (shared, -1))  # (batch, kv_heads, repeat, head_dim)
    y = F.scaled_dot_product_attention(grouped, keys, values)  # (batch, kv_heads, repeat, head_dim)
    return attention.o_proj(y.flatten(1).unsqueeze(1))


def decode_step(model: HybridLlama, tokens: Tensor, states: list[RoomyCache | MambaState], past: int) -> Tensor:
    """tokens (batch, 1) at position `past` -> logits (batch, vocab); `states` go on in place."""
    config = model.config
    rotary = rotary_tables(1, config.head_dim, config.rope_theta, past)
    x = F.embedding(tokens, model.embed_tokens.weight).float()
    for index, layer in enumerate(model.layers):
        u = layer.input_layernorm(x)
        state = states[index]
        if isinstance(state, RoomyCache):
            x = x + decode_attention(layer.mixer, u, rotary, state)
        else:
            y, states[index] = layer.mixer(u, rotary, None, None, state, True)
            x = x + y
        x = x + layer.mlp(layer.post_attention_layernorm(x))
    return model.logits(model.norm(x))[:, 0]


@dataclass(frozen=True)
class Limit:
    """A limit on thinking; `tokens` None is none. `is_boundary` tells of a token whether a line or sentence ends with it."""

    tokens: int | None
    close: Sequence[int]  # forced to end a thought
    end_think: int
    is_boundary: Callable[[int], bool] = lambda token: False
    grace: int = 16

    def cuts(self, thought: Sequence[int]) -> bool:
        """Whether a thought of these tokens is to be closed now."""
        if self.tokens is None or len(thought) < self.tokens:
            return False
        return len(thought) >= self.tokens + self.grace or bool(thought) and self.is_boundary(thought[-1])


@dataclass
class _Writer:
    index: int
    thinking: bool
    out: list[int] = field(default_factory=list)
    forced: list[int] = field(default_factory=list)
    is_over: bool = False


@torch.no_grad()
def write_replies(
    model: HybridLlama,
    prompts: Sequence[Sequence[int]],
    longest: int,
    stop: set[int],
    batch: int = 64,
    temperature: float = 0.0,
    top: int = 40,
    limit: Limit | None = None,
) -> Iterator[tuple[int, list[int]]]:
    """(index of the prompt, tokens of its reply) as batches end; the token of `stop` that ended it included.

    With `limit` each prompt ends in an open thought. `temperature` 0 takes the best token, else one of the `top` best.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, prompt in enumerate(prompts):
        by_length[len(prompt)].append(index)
    for length in sorted(by_length):
        for at in range(0, len(by_length[length]), batch):
            indices = by_length[length][at : at + batch]
            hidden, kept = model.hidden(torch.tensor([list(prompts[i]) for i in indices]), keep_state=True)
            assert kept is not None
            states: list[RoomyCache | MambaState] = [RoomyCache(s, longest) if isinstance(s, KeyValueCache) else s for s in kept]  # type: ignore[misc]
            logits = model.logits(hidden[:, -1])
            writers = [_Writer(index, limit is not None) for index in indices]
            rows = writers  # of the batch, in its order
            for step in range(longest):
                if temperature > 0:
                    best, which = (logits.float() / temperature).topk(top, -1)
                    chosen = which.gather(1, torch.multinomial(best.softmax(-1), 1))[:, 0].tolist()
                else:
                    chosen = logits.argmax(-1).tolist()
                for row, writer in enumerate(rows):
                    chosen[row] = _take(writer, chosen[row], stop, limit)
                going = [row for row, writer in enumerate(rows) if not writer.is_over]
                if not going or step == longest - 1:
                    break
                if len(going) <= NARROW_AT * len(rows):
                    picked = torch.tensor(going)
                    for state in states:
                        if isinstance(state, RoomyCache):
                            state.narrow(picked)
                        else:
                            state.conv, state.ssm = state.conv[picked], state.ssm[picked]
                    rows = [rows[row] for row in going]
                    chosen = [chosen[row] for row in going]
                logits = decode_step(model, torch.tensor(chosen)[:, None], states, length + step)
            for writer in writers:
                yield writer.index, writer.out


def _take(writer: _Writer, token: int, stop: set[int], limit: Limit | None) -> int:
    """The token that a row reads next: the sampled one, or one that closes its thought."""
    if writer.is_over:
        return token
    if writer.thinking and limit is not None and not writer.forced and (limit.cuts(writer.out) or token in stop):
        writer.forced = list(limit.close)
    if writer.forced:
        token = writer.forced.pop(0)
    if limit is not None and token == limit.end_think:
        writer.thinking = False
    writer.out.append(token)
    writer.is_over = token in stop
    return token
