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
        experts, inner, width = config.n_routed_experts, config.moe_intermediate_size, config.expert_width
        self.up_proj = nn.Parameter(torch.randn(experts, inner, width) * width**-0.5)
        self.down_proj = nn.Parameter(torch.randn(experts, width, inner) * inner**-0.5)

    @torch.compiler.disable  # how many tokens an expert gets is known only as it runs
    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """x (batch, seq, width), weights (batch, seq, experts) -> weighted sum of the experts (batch, seq, width).

        Each expert computes its own tokens only: at 16 experts of which 4 are chosen, 2.3 times as fast to train as all of them.
        """
        tokens, weights = x.flatten(0, 1), weights.flatten(0, 1)
        up, down = self.up_proj.to(x.dtype), self.down_proj.to(x.dtype)
        out = torch.zeros_like(tokens)
        for expert in range(weights.shape[1]):
            rows = weights[:, expert].nonzero()[:, 0]  # (own tokens,)
            inner = F.relu(F.linear(tokens[rows], up[expert])).square() * weights[rows, expert, None]
            out = out.index_add(0, rows, F.linear(inner, down[expert]).to(out.dtype))
        return out.unflatten(0, x.shape[:2])


class Router(nn.Module):
    """Sigmoid router with a correction bias that only steers the choice (DeepSeek-V3's, as Nemotron 3 uses it).

    While it trains it counts the tokens of each expert and keeps its sequence loss; training/balance.py reads both.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.top_k = config.num_experts_per_tok
        self.scale = config.routed_scaling_factor
        self.weight = nn.Parameter(torch.randn(config.n_routed_experts, config.hidden_size) * 0.02)
        self.register_buffer("e_score_correction_bias", torch.zeros(config.n_routed_experts))
        self.register_buffer("counts", torch.zeros(config.n_routed_experts), persistent=False)
        self.sequence_loss: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, seq, hidden) -> weight of each expert (batch, seq, experts), zero where not chosen."""
        scores = F.linear(x.float(), self.weight.float()).sigmoid()  # (batch, seq, experts)
        mask = self.chosen(scores + self.e_score_correction_bias)
        if self.training and torch.is_grad_enabled():
            self.counts += mask.detach().sum((0, 1))
            self.sequence_loss = self.sequence_balance(scores)
        weights = scores * mask
        return weights / (weights.sum(-1, keepdim=True) + 1e-20) * self.scale

    def chosen(self, choice: Tensor) -> Tensor:
        """1 where an expert is among the best of its token, else 0; (batch, seq, experts)."""
        return torch.zeros_like(choice).scatter(-1, choice.topk(self.top_k, -1).indices, 1.0)

    def sequence_balance(self, scores: Tensor) -> Tensor:
        """E Σ f_e P_e, mean over the rows: 1 where a row uses all experts alike. f by the unbiased scores, P over all experts."""
        share = self.chosen(scores.detach()).mean(1) / self.top_k  # (batch, experts), f
        chance = (scores / scores.sum(-1, keepdim=True)).mean(1)  # (batch, experts), P
        return scores.shape[-1] * (share * chance).sum(-1).mean()


class MixtureOfExperts(nn.Module):
    """Routed experts plus one shared expert. With a latent width the routed ones work there; router and shared one never do."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.experts = Experts(config)
        self.gate = Router(config)
        self.shared_experts = SquaredReluMlp(config.hidden_size, config.moe_shared_expert_intermediate_size)
        latent = config.moe_latent_size
        self.fc1_latent_proj = nn.Linear(config.hidden_size, latent, bias=False) if latent else nn.Identity()
        self.fc2_latent_proj = nn.Linear(latent, config.hidden_size, bias=False) if latent else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        weights = self.gate(x).to(x.dtype)  # (batch, seq, experts)
        routed = self.fc2_latent_proj(self.experts(self.fc1_latent_proj(x), weights))  # (batch, seq, hidden)
        return routed + self.shared_experts(x)
