"""Owns the plainest Nemotron-H forward pass: numpy, one token after another, no tricks.

It is the yardstick that packaging compares the ONNX graph with, torch or no torch. Slow on purpose: the recurrence
is written as in the Mamba-2 paper.
"""

from __future__ import annotations

import numpy as np

from .checkpoint_reader import Checkpoint

def _silu(x: np.ndarray) -> np.ndarray:
    return x / (1.0 + np.exp(-x))


def _rms_norm(x: np.ndarray, weight: np.ndarray, epsilon: float, groups: int = 1) -> np.ndarray:
    grouped = x.reshape(x.shape[0], groups, -1)
    normed = grouped / np.sqrt((grouped**2).mean(-1, keepdims=True) + epsilon)
    return normed.reshape(x.shape) * weight


class Reference:
    """Runs a checkpoint over one whole sequence, in `dtype` (float64 shows the exporter's own error)."""

    def __init__(self, checkpoint: Checkpoint, dtype: type = np.float64) -> None:
        self.checkpoint = checkpoint
        self.dtype = dtype

    def _weight(self, name: str) -> np.ndarray:
        return self.checkpoint.tensor(name).astype(self.dtype)

    def _linear(self, x: np.ndarray, key: str) -> np.ndarray:
        bias = self.checkpoint.optional(key + ".bias")
        y = x @ self._weight(key + ".weight").T
        return y if bias is None else y + bias

    def _mamba(self, x: np.ndarray, index: int) -> np.ndarray:
        s, key = self.checkpoint.shape, f"model.layers.{index}.mixer"
        length, heads, groups = x.shape[0], s.mamba_num_heads, s.n_groups
        projected = self._linear(x, f"{key}.in_proj")
        z, xbc, dt = np.split(projected, [s.inner_size, s.inner_size + s.conv_dim], axis=-1)

        kernel = self._weight(f"{key}.conv1d.weight")[:, 0]  # (conv_dim, k)
        padded = np.concatenate([np.zeros((s.conv_kernel - 1, s.conv_dim), self.dtype), xbc])
        conv = sum(padded[tap : tap + length] * kernel[:, tap] for tap in range(s.conv_kernel))
        bias = self.checkpoint.optional(f"{key}.conv1d.bias")
        conv = _silu(conv if bias is None else conv + bias)
        xs, b, c = np.split(conv, [s.inner_size, s.inner_size + groups * s.ssm_state_size], axis=-1)
        xs = xs.reshape(length, heads, s.mamba_head_dim)
        b, c = (np.repeat(m.reshape(length, groups, -1), heads // groups, axis=1) for m in (b, c))

        dt = np.logaddexp(0.0, dt + self._weight(f"{key}.dt_bias"))  # (seq, heads)
        if self.checkpoint.time_step_min:
            dt = np.maximum(dt, self.checkpoint.time_step_min)
        decay = np.exp(-np.exp(self._weight(f"{key}.A_log")) * dt)
        state = np.zeros((heads, s.ssm_state_size, s.mamba_head_dim), self.dtype)
        y = np.empty_like(xs)
        for t in range(length):
            state = decay[t, :, None, None] * state + b[t, :, :, None] * (dt[t, :, None] * xs[t])[:, None, :]
            y[t] = np.einsum("hn,hnp->hp", c[t], state)
        y = (y + self._weight(f"{key}.D")[:, None] * xs).reshape(length, -1)
        normed = _rms_norm(y * _silu(z), self._weight(f"{key}.norm.weight"), s.layer_norm_epsilon, groups)
        return self._linear(normed, f"{key}.out_proj")

    def _attention(self, x: np.ndarray, index: int) -> np.ndarray:
        s, key = self.checkpoint.shape, f"model.layers.{index}.mixer"
        length = x.shape[0]
        q, k, v = (
            self._linear(x, f"{key}.{part}_proj").reshape(length, -1, s.head_dim) for part in "qkv"
        )
        k, v = (np.repeat(m, s.num_attention_heads // s.num_key_value_heads, axis=1) for m in (k, v))
        scores = np.einsum("thd,shd->hts", q, k) * s.head_dim**-0.5
        scores = np.where(np.tril(np.ones((length, length), bool)), scores, -np.inf)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        y = np.einsum("hts,shd->thd", scores, v).reshape(length, -1)
        return self._linear(y, f"{key}.o_proj")

    def _mlp(self, x: np.ndarray, key: str) -> np.ndarray:
        hidden = np.maximum(self._linear(x, f"{key}.up_proj"), 0.0) ** 2
        return self._linear(hidden, f"{key}.down_proj")

    def _moe(self, x: np.ndarray, index: int) -> np.ndarray:
        s, key = self.checkpoint.shape, f"model.layers.{index}.mixer"
        scores = 1.0 / (1.0 + np.exp(-(x @ self._weight(f"{key}.gate.weight").T)))
        correction = self.checkpoint.optional(f"{key}.gate.e_score_correction_bias")
        choice = scores if correction is None else scores + correction
        chosen = np.argsort(-choice, axis=-1)[:, : s.num_experts_per_tok]
        gates = np.zeros_like(scores)
        np.put_along_axis(gates, chosen, np.take_along_axis(scores, chosen, -1), -1)
        if self.checkpoint.norm_topk_prob:
            gates /= gates.sum(-1, keepdims=True)
        gates *= s.routed_scaling_factor
        latent = x
        if self.checkpoint.optional(f"{key}.fc1_latent_proj.weight") is not None:
            latent = self._linear(x, f"{key}.fc1_latent_proj")
        up, down = self._weight(f"{key}.experts.up_proj"), self._weight(f"{key}.experts.down_proj")
        hidden = np.maximum(np.einsum("td,eid->tei", latent, up), 0.0) ** 2 * gates[..., None]
        out = np.einsum("tei,edi->td", hidden, down)
        if self.checkpoint.optional(f"{key}.fc2_latent_proj.weight") is not None:
            out = self._linear(out, f"{key}.fc2_latent_proj")
        return out + self._mlp(x, f"{key}.shared_experts")

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """ids (seq,) to logits (seq, vocab)."""
        s = self.checkpoint.shape
        x = self._weight("model.embeddings.weight")[ids]
        for index, layer in enumerate(s.layer_types):
            normed = _rms_norm(x, self._weight(f"model.layers.{index}.norm.weight"), s.layer_norm_epsilon)
            if layer == "mamba":
                x = x + self._mamba(normed, index)
            elif layer == "attention":
                x = x + self._attention(normed, index)
            elif layer == "mlp":
                x = x + self._mlp(normed, f"model.layers.{index}.mixer")
            else:
                x = x + self._moe(normed, index)
        x = _rms_norm(x, self._weight("model.norm_f.weight"), s.layer_norm_epsilon)
        return x @ self._weight("model.embeddings.weight" if s.tie_word_embeddings else "lm_head.weight").T
