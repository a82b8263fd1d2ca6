"""The Mamba-2 mixer of Nemotron-H: projection, causal convolution, chunked SSD scan, gate, norm. State in, state out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig

# exp(-30) = 1e-13: the state before a document's first token is gone, and a cumulative sum over a few
# such steps keeps a log decay exact to 1e-5 in fp32 (a larger constant would not).
RESET_LOG_DECAY = -30.0


@dataclass
class MambaState:
    """What one Mamba layer carries from token to token; constant in size."""

    conv: Tensor  # (batch, conv_dim, conv_kernel - 1), the last inputs of the convolution
    ssm: Tensor  # (batch, heads, head_dim, state), h in the paper, fp32


def segment_sum(log_decay: Tensor) -> Tensor:
    """Sums of `log_decay` (..., Q) over s < i <= l as (..., Q, Q), -inf above the diagonal (paper, listing 1)."""
    cumulative = log_decay.cumsum(-1)  # (..., Q)
    difference = cumulative[..., :, None] - cumulative[..., None, :]  # (..., Q, Q): l, s
    size = log_decay.shape[-1]
    lower = torch.ones(size, size, dtype=torch.bool, device=log_decay.device).tril()
    return difference.masked_fill(~lower, float("-inf"))


def ssd_chunked(
    x: Tensor, log_decay: Tensor, b: Tensor, c: Tensor, chunk_size: int, initial: Tensor | None
) -> tuple[Tensor, Tensor]:
    """State space duality in block form (Dao and Gu 2024, section 6): h_t = exp(log_decay_t) h_{t-1} + x_t b_tᵀ, y_t = h_t c_t.

    Shapes: x (batch, seq, heads, head_dim), already multiplied by Δ; log_decay (batch, seq, heads) = A·Δ, fp32;
    b, c (batch, seq, groups, state); initial (batch, heads, head_dim, state) or None for zeros.
    Returns y (batch, seq, heads, head_dim) and the last state (batch, heads, head_dim, state), fp32.
    """
    batch, length, heads, head_dim = x.shape
    groups = b.shape[2]
    per_group = heads // groups
    if length == 1 and initial is not None:  # decoding: the recurrence itself, no chunk that is nearly all padding
        rows = batch * heads
        b, c = (part[:, 0].float().repeat_interleave(per_group, 1).reshape(rows, -1) for part in (b, c))  # (rows, state)
        kept = (initial.float() * log_decay[:, 0].exp()[..., None, None]).view(rows, head_dim, -1)
        # Broadcast addcmul and mul are not vectorised here: two to four times the time of an outer product.
        state = kept.baddbmm_(x[:, 0].float().reshape(rows, head_dim, 1), b.unsqueeze(1))  # (rows, head_dim, state)
        return torch.bmm(state, c.unsqueeze(-1)).view(batch, 1, heads, head_dim).to(x.dtype), state.view(batch, heads, head_dim, -1)
    chunk_size = min(chunk_size, length)
    pad = (-length) % chunk_size
    if pad:  # Δ·x = 0 and log decay = 0 leave the state as it is
        x = F.pad(x, (0, 0, 0, 0, 0, pad))
        b = F.pad(b, (0, 0, 0, 0, 0, pad))
        c = F.pad(c, (0, 0, 0, 0, 0, pad))
        log_decay = F.pad(log_decay, (0, 0, 0, pad))
    chunks = (length + pad) // chunk_size

    x = x.view(batch, chunks, chunk_size, groups, per_group, head_dim).permute(0, 1, 3, 4, 2, 5)  # (b, k, g, r, Q, P)
    b = b.view(batch, chunks, chunk_size, groups, -1).permute(0, 1, 3, 2, 4)  # (b, k, g, Q, N)
    c = c.view(batch, chunks, chunk_size, groups, -1).permute(0, 1, 3, 2, 4)  # (b, k, g, Q, N)
    a = log_decay.view(batch, chunks, chunk_size, groups, per_group).permute(0, 1, 3, 4, 2)  # (b, k, g, r, Q)
    a_cumulative = a.cumsum(-1)  # (b, k, g, r, Q)

    # 1. Inside a chunk: the quadratic, attention-like form.
    scores = torch.matmul(c, b.transpose(-1, -2))  # (b, k, g, Q, Q)
    mixing = scores.unsqueeze(3) * segment_sum(a).exp().to(scores.dtype)  # (b, k, g, r, Q, Q)
    y = torch.matmul(mixing, x.to(mixing.dtype))  # (b, k, g, r, Q, P)

    # 2. What each chunk adds to the state by its end.
    to_end = (a_cumulative[..., -1:] - a_cumulative).exp()  # (b, k, g, r, Q)
    weighted = x * to_end.unsqueeze(-1).to(x.dtype)  # (b, k, g, r, Q, P)
    added = torch.matmul(weighted.transpose(-1, -2), b.unsqueeze(3))  # (b, k, g, r, P, N)

    # 3. The recurrence from chunk to chunk, in fp32.
    decay = a_cumulative[..., -1].exp()[..., None, None]  # (b, k, g, r, 1, 1)
    state = (
        torch.zeros(batch, groups, per_group, head_dim, b.shape[-1], dtype=torch.float32, device=x.device)
        if initial is None
        else initial.float().view(batch, groups, per_group, head_dim, -1)
    )  # (b, g, r, P, N)
    before = []
    for chunk in range(chunks):
        before.append(state)
        state = state * decay[:, chunk] + added[:, chunk].float()
    carried = torch.stack(before, 1)  # (b, k, g, r, P, N)

    # 4. What the state at the chunk's start gives each of its tokens.
    from_start = a_cumulative.exp().unsqueeze(-1)  # (b, k, g, r, Q, 1)
    y_carried = torch.matmul(c.unsqueeze(3), carried.to(c.dtype).transpose(-1, -2))  # (b, k, g, r, Q, P)
    y = y + y_carried * from_start.to(y.dtype)

    y = y.permute(0, 1, 4, 2, 3, 5).reshape(batch, chunks * chunk_size, heads, head_dim)[:, :length]
    return y, state.reshape(batch, heads, head_dim, -1)


class GatedRMSNorm(nn.Module):
    """RMSNorm over groups of channels of y·silu(z): Nemotron-H gates first, then norms."""

    def __init__(self, size: int, groups: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.groups = groups
        self.epsilon = epsilon

    def forward(self, y: Tensor, z: Tensor) -> Tensor:
        gated = y.float() * F.silu(z.float())  # (batch, seq, inner)
        grouped = gated.unflatten(-1, (self.groups, -1))  # (batch, seq, groups, inner / groups)
        normed = grouped * torch.rsqrt(grouped.pow(2).mean(-1, keepdim=True) + self.epsilon)
        return self.weight * normed.flatten(-2)  # (batch, seq, inner)


class Mamba2Mixer(nn.Module):
    """One Mamba-2 layer's mixer; parameter names and order are those of Hugging Face's NemotronHMamba2Mixer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        heads = config.mamba_num_heads
        self.in_proj = nn.Linear(config.hidden_size, config.inner_size + config.conv_dim + heads, bias=False)
        self.conv1d = nn.Conv1d(
            config.conv_dim, config.conv_dim, config.conv_kernel, groups=config.conv_dim, padding=config.conv_kernel - 1
        )
        # Δ starts log-uniform in 1e-3 … 1e-1 (paper's init), kept as the inverse of softplus.
        delta = torch.exp(torch.rand(heads) * (math.log(0.1) - math.log(1e-3)) + math.log(1e-3))
        self.dt_bias = nn.Parameter(delta + torch.log(-torch.expm1(-delta)))
        self.A_log = nn.Parameter(torch.log(torch.empty(heads).uniform_(1, 16)))
        self.D = nn.Parameter(torch.ones(heads))
        self.norm = GatedRMSNorm(config.inner_size, config.n_groups, config.layer_norm_epsilon)
        self.out_proj = nn.Linear(config.inner_size, config.hidden_size, bias=False)

    def convolve(self, x: Tensor, state: Tensor | None, starts: Tensor | None) -> Tensor:
        """Causal depthwise convolution and SiLU of x (batch, seq, conv_dim).

        `starts` (batch, seq) marks first tokens of documents packed in one row: taps that would reach
        into the document before are left out. A row that does not begin with one goes on from `state`.
        """
        kernel = self.config.conv_kernel
        if starts is not None:
            # Written as taps, because the compiler fuses them into one pass over x.
            at = torch.arange(x.shape[1], device=x.device).expand_as(starts)
            since_start = at - torch.where(starts, at, -kernel).cummax(1).values  # (batch, seq), 0 at a first token
            before = None if state is None else state.to(x.dtype).transpose(1, 2)  # (batch, k - 1, conv_dim)
            weight = self.conv1d.weight[:, 0, :].to(x.dtype)  # (conv_dim, k); tap j sees x[t - (k - 1) + j]
            y = x * weight[:, kernel - 1] + self.conv1d.bias.to(x.dtype)  # (batch, seq, conv_dim)
            for back in range(1, kernel):
                earlier = x.new_zeros(x.shape[0], back, x.shape[2]) if before is None else before[:, -back:]
                shifted = torch.cat([earlier, x], 1)[:, : x.shape[1]]  # (batch, seq, conv_dim): x[t - back]
                y = y + shifted * weight[:, kernel - 1 - back] * (since_start >= back).unsqueeze(-1)
            return F.silu(y)
        channels_first = x.transpose(1, 2)  # (batch, conv_dim, seq)
        if state is not None:
            channels_first = torch.cat([state.to(x.dtype), channels_first], -1)  # (batch, conv_dim, k - 1 + seq)
            y = F.conv1d(channels_first, self.conv1d.weight, self.conv1d.bias, groups=x.shape[2])
        else:
            y = self.conv1d(channels_first)[..., : x.shape[1]]  # (batch, conv_dim, seq)
        y = y.transpose(1, 2)  # (batch, seq, conv_dim)
        return F.silu(y)

    def forward(
        self, u: Tensor, state: MambaState | None = None, starts: Tensor | None = None, keep_state: bool = False
    ) -> tuple[Tensor, MambaState | None]:
        """u (batch, seq, hidden) -> (batch, seq, hidden), and the new state if `keep_state`."""
        config = self.config
        batch, length, _ = u.shape
        z, xbc, dt = self.in_proj(u).split([config.inner_size, config.conv_dim, config.mamba_num_heads], -1)
        convolved = self.convolve(xbc, None if state is None else state.conv, starts)  # (batch, seq, conv_dim)
        width = config.n_groups * config.ssm_state_size
        x, b, c = convolved.split([config.inner_size, width, width], -1)
        x = x.reshape(batch, length, config.mamba_num_heads, config.mamba_head_dim)  # (batch, seq, heads, head_dim)
        b = b.reshape(batch, length, config.n_groups, config.ssm_state_size)  # (batch, seq, groups, state)
        c = c.reshape(batch, length, config.n_groups, config.ssm_state_size)  # (batch, seq, groups, state)

        delta = F.softplus(dt.float() + self.dt_bias)  # (batch, seq, heads), Δ
        log_decay = -torch.exp(self.A_log.float()) * delta  # (batch, seq, heads), A·Δ
        if starts is not None:
            log_decay = log_decay + RESET_LOG_DECAY * starts.unsqueeze(-1)
        y, last = ssd_chunked(
            x * delta.unsqueeze(-1).to(x.dtype), log_decay, b, c, config.chunk_size, None if state is None else state.ssm
        )
        y = y + x * self.D[:, None].to(x.dtype)  # (batch, seq, heads, head_dim)
        y = self.norm(y.reshape(batch, length, -1), z).to(u.dtype)  # (batch, seq, inner)
        new_state = None
        if keep_state:
            seen = xbc.transpose(1, 2)  # (batch, conv_dim, seq)
            before = seen.new_zeros(batch, config.conv_dim, config.conv_kernel - 1) if state is None else state.conv
            new_state = MambaState(torch.cat([before.to(seen.dtype), seen], -1)[..., -(config.conv_kernel - 1) :], last)
        return self.out_proj(y), new_state
