"""A Llama stack whose blocks keep their attention or have a Mamba-2 mixer in its place; SmolLM2-135M's widths by default.

One block is x + mixer(norm(x)), then x + swiglu(norm(x)). Matrices may be held in bfloat16 (the residual stream and the
norms stay in float32): every product casts its input to its matrix' type. Not here: how the mixers come from attention
(convert/hybridise.py), how it is taught (training/).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import KeyValueCache
from .config import ConfigError
from .mamba2 import RESET_LOG_DECAY, MambaState, ssd_chunked
from .number_type import fastest_type

# softplus(0.5413) = 1: a step of one, so that A alone sets the first half-lives.
UNIT_STEP_BIAS = math.log(math.e - 1)
# silu(1.2785) = 1: a gate that lets everything through.
OPEN_GATE_BIAS = 1.2784645


@dataclass(frozen=True)
class HybridLlamaConfig:
    """Sizes; field names are those of Hugging Face's Llama and GraniteMoeHybrid configs."""

    pattern: str  # one letter a block: M Mamba-2, * attention
    vocab_size: int = 49152
    hidden_size: int = 576
    intermediate_size: int = 1536
    num_attention_heads: int = 9
    num_key_value_heads: int = 3
    head_dim: int = 64
    mamba_n_heads: int = 9  # H; as many groups: every head has its own B and C
    mamba_d_head: int = 64  # P
    mamba_d_state: int = 64  # N
    mamba_d_conv: int = 4
    chunk_size: int = 64  # Q
    rope_theta: float = 100_000.0
    rms_norm_eps: float = 1e-5
    max_position_embeddings: int = 8192

    def __post_init__(self) -> None:
        unknown = sorted(set(self.pattern) - {"M", "*"})
        if unknown or not self.pattern:
            raise ConfigError(f"block pattern {self.pattern!r} has unknown letter(s) {unknown}; use M (Mamba-2) and * (attention)")
        if self.num_attention_heads % self.num_key_value_heads:
            raise ConfigError(
                f"num_attention_heads / num_key_value_heads must be whole, but is {self.num_attention_heads} / {self.num_key_value_heads}"
            )

    @property
    def inner_size(self) -> int:
        """H·P, the width of x and of the gate in a Mamba block."""
        return self.mamba_n_heads * self.mamba_d_head

    @property
    def conv_dim(self) -> int:
        """Channels of the causal convolution: x, B and C together."""
        return self.inner_size + 2 * self.mamba_n_heads * self.mamba_d_state

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hybrid.json").write_text(json.dumps(asdict(self), indent=2) + "\n")

    @staticmethod
    def load(folder: Path) -> "HybridLlamaConfig":
        """Reads hybrid.json of a checkpoint folder; raises ConfigError that names the file."""
        path = folder / "hybrid.json"
        try:
            return HybridLlamaConfig(**json.loads(path.read_text()))
        except FileNotFoundError:
            raise ConfigError(f"{path} is missing; convert the base model first (python -m tidepool_model.convert.lagoon)") from None
        except (json.JSONDecodeError, TypeError) as error:
            raise ConfigError(f"{path} is not a hybrid's config ({error}); convert the base model again") from error


class RMSNorm(nn.Module):
    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        return self.weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.epsilon))


class Linear(nn.Linear):
    """A product without bias in the type of its matrix, whatever comes in; float32 goes out."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.to(self.weight.dtype), self.weight)


def rotary_tables(length: int, head_dim: int, theta: float, start: int = 0) -> tuple[Tensor, Tensor]:
    """cos and sin (length, head_dim) of rotary positions start … start + length - 1, halves repeated as Llama does."""
    frequency = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)  # (head_dim / 2)
    angle = torch.arange(start, start + length, dtype=torch.float64)[:, None] * frequency  # (length, head_dim / 2)
    angle = torch.cat([angle, angle], -1)
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of x (batch, heads, seq, head_dim)."""
    first, second = x.chunk(2, -1)
    return x * cos.to(x.dtype) + torch.cat([-second, first], -1) * sin.to(x.dtype)


class RotaryAttention(nn.Module):
    """Grouped-query attention with rotary positions, as in Llama."""

    def __init__(self, config: HybridLlamaConfig) -> None:
        super().__init__()
        self.config = config
        query = config.num_attention_heads * config.head_dim
        shared = config.num_key_value_heads * config.head_dim
        self.q_proj = Linear(config.hidden_size, query)
        self.k_proj = Linear(config.hidden_size, shared)
        self.v_proj = Linear(config.hidden_size, shared)
        self.o_proj = Linear(query, config.hidden_size)

    def heads_out(
        self, u: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor | None, cache: KeyValueCache | None
    ) -> tuple[Tensor, KeyValueCache]:
        """u (batch, seq, hidden) -> what the heads say before o_proj (batch, seq, heads · head_dim), and the cache."""
        head_dim = self.config.head_dim
        q = self.q_proj(u).unflatten(-1, (-1, head_dim)).transpose(1, 2)  # (batch, heads, seq, head_dim)
        k = self.k_proj(u).unflatten(-1, (-1, head_dim)).transpose(1, 2)  # (batch, kv_heads, seq, head_dim)
        v = self.v_proj(u).unflatten(-1, (-1, head_dim)).transpose(1, 2)  # (batch, kv_heads, seq, head_dim)
        q, k = rotate(q, *rotary), rotate(k, *rotary)
        if cache is not None:
            k = torch.cat([cache.key, k], 2)  # (batch, kv_heads, total, head_dim)
            v = torch.cat([cache.value, v], 2)
            if mask is None:
                total, length = k.shape[2], q.shape[2]
                mask = torch.ones(length, total, dtype=torch.bool, device=u.device).tril(total - length)
        repeat = self.config.num_attention_heads // self.config.num_key_value_heads
        y = F.scaled_dot_product_attention(
            q, k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1), attn_mask=mask, is_causal=mask is None
        )  # (batch, heads, seq, head_dim)
        return y.transpose(1, 2).flatten(2), KeyValueCache(k, v)

    def forward(
        self,
        u: Tensor,
        rotary: tuple[Tensor, Tensor],
        starts: Tensor | None,
        mask: Tensor | None,
        state: KeyValueCache | None,
        keep_state: bool,
    ) -> tuple[Tensor, KeyValueCache | None]:
        y, after = self.heads_out(u, rotary, mask, state)
        return self.o_proj(y), after if keep_state else None


class HeadwiseMamba2(nn.Module):
    """Mamba-2 in attention's shape: one group a head (B like a key, C like a query), x linear, norm a head before the gate.

    y = out_proj(RMSNorm_head(SSD(x, SiLU(B), SiLU(C), Δ, A)) · w · SiLU(z)), with x, B, C through a causal convolution of
    four. Dao and Gu 2024 (arXiv 2405.21060) with mamba_ssm's `norm_before_gate`, no D, no SiLU on x.
    """

    def __init__(self, config: HybridLlamaConfig) -> None:
        super().__init__()
        self.config = config
        heads, inner = config.mamba_n_heads, config.inner_size
        self.in_proj = Linear(config.hidden_size, inner + config.conv_dim + heads)  # rows: z, x, B, C, Δ
        self.z_bias = nn.Parameter(torch.full((inner,), OPEN_GATE_BIAS))
        taps = torch.zeros(config.conv_dim, config.mamba_d_conv)
        taps[:, -1] = 1.0
        self.conv_weight = nn.Parameter(taps)  # (conv_dim, k); tap j sees u[t - (k - 1) + j]
        self.conv_bias = nn.Parameter(torch.zeros(config.conv_dim))
        self.dt_bias = nn.Parameter(torch.full((heads,), UNIT_STEP_BIAS))
        half_life = torch.logspace(math.log2(2), math.log2(48), heads, base=2)  # tokens
        self.A_log = nn.Parameter((math.log(2) / half_life).log())
        self.norm_weight = nn.Parameter(torch.ones(inner))
        self.out_proj = Linear(inner, config.hidden_size)

    def convolve(self, x: Tensor, state: Tensor | None, starts: Tensor | None) -> Tensor:
        """Causal depthwise convolution of x (batch, seq, conv_dim); taps that reach over a document's start are left out."""
        kernel = self.config.mamba_d_conv
        weight = self.conv_weight.to(x.dtype)
        before = x.new_zeros(x.shape[0], kernel - 1, x.shape[2]) if state is None else state.to(x.dtype).transpose(1, 2)
        padded = torch.cat([before, x], 1)  # (batch, k - 1 + seq, conv_dim)
        length = x.shape[1]
        y = x * weight[:, kernel - 1] + self.conv_bias.to(x.dtype)  # (batch, seq, conv_dim)
        since_start = None
        if starts is not None:
            at = torch.arange(length, device=x.device).expand_as(starts)
            since_start = at - torch.where(starts, at, -kernel).cummax(1).values  # (batch, seq), 0 at a first token
        for back in range(1, kernel):
            shifted = padded[:, kernel - 1 - back : kernel - 1 - back + length]  # (batch, seq, conv_dim): x[t - back]
            tap = shifted * weight[:, kernel - 1 - back]
            y = y + (tap if since_start is None else tap * (since_start >= back).unsqueeze(-1))
        return y

    def normed_heads(
        self, u: Tensor, starts: Tensor | None, state: MambaState | None
    ) -> tuple[Tensor, Tensor, MambaState]:
        """u (batch, seq, hidden) -> heads' output, normed without weight (batch, seq, inner); gate's input z; the state."""
        config = self.config
        batch, length, _ = u.shape
        heads, inner = config.mamba_n_heads, config.inner_size
        z, xbc, dt = self.in_proj(u).split([inner, config.conv_dim, heads], -1)
        convolved = self.convolve(xbc, None if state is None else state.conv, starts)  # (batch, seq, conv_dim)
        x, bc = convolved.split([inner, config.conv_dim - inner], -1)
        b, c = F.silu(bc).chunk(2, -1)
        x = x.unflatten(-1, (heads, -1))  # (batch, seq, heads, head_dim)
        b = b.unflatten(-1, (heads, -1))  # (batch, seq, heads, state)
        c = c.unflatten(-1, (heads, -1))  # (batch, seq, heads, state)
        delta = F.softplus(dt.float() + self.dt_bias)  # (batch, seq, heads)
        log_decay = -self.A_log.exp() * delta  # (batch, seq, heads), A·Δ
        if starts is not None:
            log_decay = log_decay + RESET_LOG_DECAY * starts.unsqueeze(-1)
        y, last = ssd_chunked(
            x * delta.unsqueeze(-1).to(x.dtype), log_decay, b, c, config.chunk_size, None if state is None else state.ssm
        )  # (batch, seq, heads, head_dim)
        wide = y.float()
        normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + config.rms_norm_eps)
        kernel = config.mamba_d_conv
        seen = xbc.transpose(1, 2)  # (batch, conv_dim, seq)
        before = seen.new_zeros(batch, config.conv_dim, kernel - 1) if state is None else state.conv.to(seen.dtype)
        after = MambaState(torch.cat([before, seen], -1)[..., -(kernel - 1) :], last)
        return normed.flatten(-2), z, after

    def forward(
        self,
        u: Tensor,
        rotary: tuple[Tensor, Tensor],
        starts: Tensor | None,
        mask: Tensor | None,
        state: MambaState | None,
        keep_state: bool,
    ) -> tuple[Tensor, MambaState | None]:
        normed, z, after = self.normed_heads(u, starts, state)
        gated = normed * self.norm_weight * F.silu(z.float() + self.z_bias)  # (batch, seq, inner)
        return self.out_proj(gated), after if keep_state else None


class SwiGlu(nn.Module):
    """down(silu(gate(x)) · up(x)), as in Llama."""

    def __init__(self, config: HybridLlamaConfig) -> None:
        super().__init__()
        self.gate_proj = Linear(config.hidden_size, config.intermediate_size)
        self.up_proj = Linear(config.hidden_size, config.intermediate_size)
        self.down_proj = Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class HybridBlock(nn.Module):
    def __init__(self, letter: str, config: HybridLlamaConfig) -> None:
        super().__init__()
        self.letter = letter
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mixer = HeadwiseMamba2(config) if letter == "M" else RotaryAttention(config)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = SwiGlu(config)

    def forward(
        self,
        x: Tensor,
        rotary: tuple[Tensor, Tensor],
        starts: Tensor | None,
        mask: Tensor | None,
        state: MambaState | KeyValueCache | None,
        keep_state: bool,
    ) -> tuple[Tensor, MambaState | KeyValueCache | None]:
        y, after = self.mixer(self.input_layernorm(x), rotary, starts, mask, state, keep_state)
        x = x + y
        return x + self.mlp(self.post_attention_layernorm(x)), after


class HybridLlama(nn.Module):
    """Embedding, blocks, final norm, and the head that shares the embedding's rows."""

    def __init__(self, config: HybridLlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(HybridBlock(letter, config) for letter in config.pattern)
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def hidden(
        self,
        tokens: Tensor,
        starts: Tensor | None = None,
        mask: Tensor | None = None,
        states: list[MambaState | KeyValueCache | None] | None = None,
        past: int = 0,
        keep_state: bool = False,
    ) -> tuple[Tensor, list[MambaState | KeyValueCache | None] | None]:
        """tokens (batch, seq) -> last hidden (batch, seq, hidden), float32, and states where they are kept.

        `starts` (batch, seq) bool marks document starts in packed rows; `mask` (batch, 1, seq, seq) bool is then the
        causal mask by document. `past` tokens stand in `states` already.
        """
        config = self.config
        cos, sin = rotary_tables(tokens.shape[1], config.head_dim, config.rope_theta, past)
        rotary = (cos.to(tokens.device), sin.to(tokens.device))
        x = F.embedding(tokens, self.embed_tokens.weight).float()  # (batch, seq, hidden)
        after: list[MambaState | KeyValueCache | None] = []
        for index, layer in enumerate(self.layers):
            x, kept = layer(x, rotary, starts, mask, None if states is None else states[index], keep_state)
            after.append(kept)
        return self.norm(x), after if keep_state else None

    def logits(self, hidden: Tensor) -> Tensor:
        """hidden (..., hidden) -> (..., vocab)."""
        weight = self.embed_tokens.weight
        return F.linear(hidden.to(weight.dtype), weight)

    def to_fastest(self) -> "HybridLlama":
        """Matrices in this processor's fastest type (fastest_type); norms, biases, A and Δ stay in float32."""
        for module in self.modules():
            if isinstance(module, (Linear, nn.Embedding)):
                module.weight.data = module.weight.data.to(fastest_type())
        return self
