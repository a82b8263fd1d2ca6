"""Writes replies in batches with a HybridLlama or a HybridLM on one thread of a CPU; a row that has ended makes room for the next prompt.

Rows of different lengths stand in one batch: keys and values are aligned at their newest column, older columns of a shorter
row are masked, and each row has its own rotary position. Mamba states have no length, so they are only stacked. The limit on
thinking is the app's (src/core/budget): at the soft limit the thought ends with its line or sentence, after a grace of
sixteen tokens wherever it stands; then the close of the chat form is forced. Not here: what a reply is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from .attention import KeyValueCache
from .hybrid_llama import HybridLlama, RotaryAttention, rotary_tables, rotate
from .hybrid_rows import HybridRows
from .mamba2 import MambaState
from .model import HybridLM

REFILL_AT = 0.75  # share of the batch's rows still writing at which it is narrowed and filled: that costs a copy of all states
ROOM = 96  # free columns of a cache after a copy


class AlignedCache:
    """Keys and values (batch, kv_heads, columns, head_dim) whose newest column is the same for all rows; written in place."""

    def __init__(self, kv_heads: int, head_dim: int, dtype: torch.dtype) -> None:
        self.keys = torch.zeros(0, kv_heads, 0, head_dim, dtype=dtype)
        self.values = self.keys.clone()
        self.used = 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """key, value (batch, kv_heads, 1, head_dim) -> all columns so far (batch, kv_heads, used, head_dim)."""
        if self.used == self.keys.shape[2]:
            self.keys, self.values = (F.pad(part, (0, 0, 0, ROOM)) for part in (self.keys, self.values))
        self.keys[:, :, self.used : self.used + 1] = key
        self.values[:, :, self.used : self.used + 1] = value
        self.used += 1
        return self.keys[:, :, : self.used], self.values[:, :, : self.used]

    def rearrange(self, rows: Tensor, joining: Sequence[KeyValueCache], columns: int) -> None:
        """Keeps `rows`, adds those that join, drops what is older than `columns` columns."""
        parts = [(self.keys[rows, :, max(0, self.used - columns) : self.used], self.values[rows, :, max(0, self.used - columns) : self.used])]
        parts += [(cache.key, cache.value) for cache in joining]
        aligned = [[F.pad(part, (0, 0, columns - part.shape[2], ROOM)) for part in pair] for pair in parts]
        self.keys, self.values = (torch.cat(found) for found in zip(*aligned, strict=True))
        self.used = columns


def decode_attention(attention: RotaryAttention, u: Tensor, rotary: tuple[Tensor, Tensor], cache: AlignedCache, lengths: Tensor) -> Tensor:
    """One token of each row: u (batch, 1, hidden) -> (batch, 1, hidden). Query heads of a shared head stand as a sequence."""
    head_dim, shared = attention.config.head_dim, attention.config.num_key_value_heads
    q = attention.q_proj(u).unflatten(-1, (-1, head_dim)).transpose(1, 2)  # (batch, heads, 1, head_dim)
    k = attention.k_proj(u).unflatten(-1, (-1, head_dim)).transpose(1, 2)  # (batch, kv_heads, 1, head_dim)
    v = attention.v_proj(u).unflatten(-1, (-1, head_dim)).transpose(1, 2)
    keys, values = cache.append(rotate(k, *rotary), v)
    seen = torch.arange(cache.used) >= cache.used - 1 - lengths[:, None]  # (batch, used)
    grouped = rotate(q, *rotary).squeeze(2).unflatten(1, (shared, -1))  # (batch, kv_heads, repeat, head_dim)
    y = F.scaled_dot_product_attention(grouped, keys, values, attn_mask=seen[:, None, None])  # (batch, kv_heads, repeat, head_dim)
    return attention.o_proj(y.flatten(1).unsqueeze(1))


def decode_step(model: HybridLlama, tokens: Tensor, states: list[AlignedCache | MambaState], lengths: Tensor) -> Tensor:
    """tokens (batch, 1), each after `lengths` (batch) others of its row -> logits (batch, vocab); `states` go on in place."""
    config = model.config
    cos, sin = rotary_tables(int(lengths.max()) + 1, config.head_dim, config.rope_theta)
    rotary = (cos[lengths][:, None, None], sin[lengths][:, None, None])  # (batch, 1, 1, head_dim)
    x = F.embedding(tokens, model.embed_tokens.weight).float()
    for index, layer in enumerate(model.layers):
        u = layer.input_layernorm(x)
        state = states[index]
        if isinstance(state, AlignedCache):
            x = x + decode_attention(layer.mixer, u, rotary, state, lengths)
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
    limit: Limit | None
    out: list[int] = field(default_factory=list)
    forced: list[int] = field(default_factory=list)
    is_over: bool = False
    thinking: bool = field(init=False)

    def __post_init__(self) -> None:
        self.thinking = self.limit is not None


class _Batch:
    """The rows that are being written, their states and what each says next."""

    def __init__(self, model: HybridLlama) -> None:
        self.model = model
        self.rows: list[_Writer] = []
        self.lengths = torch.zeros(0, dtype=torch.long)  # tokens read by each row
        self.logits = torch.zeros(0, model.config.vocab_size)
        config, dtype = model.config, model.embed_tokens.weight.dtype
        self.states: list[AlignedCache | MambaState] = [
            AlignedCache(config.num_key_value_heads, config.head_dim, dtype)
            if letter == "*"
            else MambaState(torch.zeros(0, config.conv_dim, config.mamba_d_conv - 1), torch.zeros(0, config.mamba_n_heads, config.mamba_d_head, config.mamba_d_state))
            for letter in config.pattern
        ]

    def refill(self, joining: Sequence[tuple[_Writer, Sequence[int]]]) -> None:
        """Drops rows that are over and reads the prompts that join, those of one length together."""
        keep = torch.tensor([row for row, writer in enumerate(self.rows) if not writer.is_over], dtype=torch.long)
        groups: dict[int, list[tuple[_Writer, Sequence[int]]]] = {}
        for writer, prompt in joining:
            groups.setdefault(len(prompt), []).append((writer, prompt))
        self.rows = [self.rows[row] for row in keep.tolist()] + [writer for group in groups.values() for writer, _ in group]
        read = [self.model.hidden(torch.tensor([list(prompt) for _, prompt in group]), keep_state=True) for group in groups.values()]
        self.lengths = torch.cat([self.lengths[keep], *(torch.full((len(group),), length) for length, group in groups.items())])
        self.logits = torch.cat([self.logits[keep].to(read[0][0].dtype) if read else self.logits[keep], *(self.model.logits(hidden[:, -1]) for hidden, _ in read)])
        columns = int(self.lengths.max()) if len(self.rows) else 0
        for index, state in enumerate(self.states):
            new = [kept[index] for _, kept in read if kept is not None]
            if isinstance(state, AlignedCache):
                state.rearrange(keep, [cache for cache in new if isinstance(cache, KeyValueCache)], columns)
            else:
                mamba = [other for other in new if isinstance(other, MambaState)]
                state.conv = torch.cat([state.conv[keep].to(mamba[0].conv.dtype) if mamba else state.conv[keep], *(other.conv for other in mamba)])
                state.ssm = torch.cat([state.ssm[keep], *(other.ssm for other in mamba)])

    def read(self, tokens: Sequence[int]) -> None:
        self.logits = decode_step(self.model, torch.tensor(tokens)[:, None], self.states, self.lengths)
        self.lengths = self.lengths + 1


@torch.no_grad()
def write_replies(
    model: HybridLlama | HybridLM,
    prompts: Sequence[Sequence[int]],
    longest: int,
    stop: set[int],
    batch: int = 64,
    temperature: float | Sequence[float] = 0.0,
    top: int = 40,
    limit: Limit | None = None,
    limits: Sequence[Limit | None] | None = None,
) -> Iterator[tuple[int, list[int]]]:
    """(index of the prompt, tokens of its reply) as rows end; the token of `stop` that ended it included.

    With `limit` (or one for each prompt, `limits`) a prompt ends in an open thought. `temperature` (or one for each prompt,
    none of them 0) draws among the `top` best, 0 takes the best token. A reply ends after `longest` tokens at the latest.
    """
    waiting = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))  # neighbours of one length are read together
    warmth = [temperature] * len(prompts) if isinstance(temperature, int | float) else list(temperature)
    is_mixed = len(set(warmth)) > 1
    if is_mixed and min(warmth) <= 0:
        raise ValueError("a temperature of 0 among others: write its prompts in a call of their own")
    rows = HybridRows[_Writer](model) if isinstance(model, HybridLM) else _Batch(model)
    while rows.rows or waiting:
        going = sum(not writer.is_over for writer in rows.rows)
        if going <= REFILL_AT * (batch if waiting else len(rows.rows)):
            joining = [waiting.pop() for _ in range(min(batch - going, len(waiting)))]
            rows.refill([(_Writer(i, (limits[i] if limits else limit)), prompts[i]) for i in joining])
            if not rows.rows:
                return
        if warmth[0] > 0:
            by = torch.tensor([warmth[writer.index] for writer in rows.rows])[:, None] if is_mixed else warmth[0]
            best, which = (rows.logits.float() / by).topk(min(top, rows.logits.shape[-1]), -1)
            chosen = which.gather(1, torch.multinomial(best.softmax(-1), 1))[:, 0].tolist()
        else:
            chosen = rows.logits.argmax(-1).tolist()
        for row, writer in enumerate(rows.rows):
            if writer.is_over:
                continue
            chosen[row] = _take(writer, chosen[row], stop)
            if len(writer.out) == longest:
                writer.is_over = True
            if writer.is_over:
                yield writer.index, writer.out
        if any(not writer.is_over for writer in rows.rows):
            rows.read(chosen)


def _take(writer: _Writer, token: int, stop: set[int]) -> int:
    """The token that a row reads next: the sampled one, or one that closes its thought."""
    limit = writer.limit
    if writer.thinking and limit is not None and not writer.forced and (limit.cuts(writer.out) or token in stop):
        writer.forced = list(limit.close)
    if writer.forced:
        token = writer.forced.pop(0)
    if limit is not None and token == limit.end_think:
        writer.thinking = False
    writer.out.append(token)
    writer.is_over = token in stop
    return token
