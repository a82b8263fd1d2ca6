"""Feed-forward mixers of Nemotron-H: squared-ReLU MLP and the mixture of such experts. No state."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig


class SquaredReluMlp(nn.Module):
    """down(relu(up(x))²), without biases."""

    def __init__(self, hidden_size: int, intermediate_size: int) -> None:
        super().__init__()
        self.up_proj = nn.Linear(hidden_size, intermediate_size, bias=False)
        self.down_proj = nn.Linear(intermediate_size, hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.relu(self.up_proj(x)).square())  # (batch, seq, hidden)


class Experts(nn.Module):
    """Weights of all routed experts, stacked as Hugging Face stores them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        experts, width, hidden = config.n_routed_experts, config.moe_intermediate_size, config.hidden_size
        self.up_proj = nn.Parameter(torch.randn(experts, width, hidden) * hidden**-0.5)
        self.down_proj = nn.Parameter(torch.randn(experts, hidden, width) * width**-0.5)


class Router(nn.Module):
    """Sigmoid router with a correction bias that only steers the choice (DeepSeek-V3's, as Nemotron 3 uses it)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.top_k = config.num_experts_per_tok
        self.scale = config.routed_scaling_factor
        self.weight = nn.Parameter(torch.randn(config.n_routed_experts, config.hidden_size) * 0.02)
        self.register_buffer("e_score_correction_bias", torch.zeros(config.n_routed_experts))

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, seq, hidden) -> weight of each expert (batch, seq, experts), zero where not chosen."""
        scores = F.linear(x.float(), self.weight.float()).sigmoid()  # (batch, seq, experts)
        chosen = (scores + self.e_score_correction_bias).topk(self.top_k, -1).indices  # (batch, seq, top_k)
        weights = scores * torch.zeros_like(scores).scatter(-1, chosen, 1.0)
        return weights / (weights.sum(-1, keepdim=True) + 1e-20) * self.scale


class MixtureOfExperts(nn.Module):
    """Routed experts plus one shared expert. Every expert is computed and masked: right for the few of a toy model."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.experts = Experts(config)
        self.gate = Router(config)
        self.shared_experts = SquaredReluMlp(config.hidden_size, config.moe_shared_expert_intermediate_size)

    def forward(self, x: Tensor) -> Tensor:
        weights = self.gate(x).to(x.dtype)  # (batch, seq, experts)
        up = torch.einsum("bsh,ewh->bsew", x, self.experts.up_proj.to(x.dtype))  # (batch, seq, experts, width)
        routed = torch.einsum(
            "bsew,ehw,bse->bsh", F.relu(up).square(), self.experts.down_proj.to(x.dtype), weights
        )  # (batch, seq, hidden)
        return routed + self.shared_experts(x)
