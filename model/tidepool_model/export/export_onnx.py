"""Owns the ONNX graph of a Nemotron-H checkpoint, in the layout that transformers.js expects of `nemotron_h`.

One graph serves prefill and decode. The Mamba-2 recurrence is com.microsoft.LinearAttention (update_rule "gated",
scale 1): query = C, key = B, value = dt * x, decay = A * dt. How a matrix is stored is decided in onnx_graph.py.
States: past_conv.N (batch, conv_dim, kernel-1), past_ssm.N (batch, heads, state, head_dim; Hugging Face keeps the last
two swapped), past_key_values.N.key/value (batch, kv_heads, past, head_dim). N counts all layers. Batches must not be
padded: the Mamba layers, unlike Hugging Face's, do not read the attention mask.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from ..architecture.checkpoint_reader import Checkpoint, load_checkpoint
from .experts_graph import ExpertsWriter
from .onnx_graph import MS, FloatFormat, WeightFormat

INT64_MAX = np.iinfo(np.int64).max


class Exporter(ExpertsWriter):
    """Walks the layers of one checkpoint and writes their nodes into a graph."""

    def mamba(self, x: str, index: int) -> str:
        """Mamba-2 mixer: x (batch, seq, hidden) to (batch, seq, hidden)."""
        g, s, at = self.g, self.shape, f"layers.{index}"
        key = f"model.layers.{index}.mixer"
        tensor = self.checkpoint.tensor
        heads, head_dim, bc = s.mamba_num_heads, s.mamba_head_dim, s.n_groups * s.ssm_state_size

        projected = self.linear(x, f"{at}.in_proj", f"{key}.in_proj")  # (batch, seq, inner + conv_dim + heads)
        gate, xbc, dt_raw = f"{at}.z", f"{at}.xbc", f"{at}.dt_raw"
        sizes = self.ints(f"{at}.in_split", s.inner_size, s.conv_dim, heads)
        g.node("Split", [projected, sizes], [gate, xbc, dt_raw], axis=-1)

        bias = self.checkpoint.optional(f"{key}.conv1d.bias")
        conv_bias = "" if bias is None else self.constant(f"{at}.conv.bias", bias)
        past = g.input(f"past_conv.{index}", self.weights.elem_type, ["batch_size", s.conv_dim, s.conv_kernel - 1])
        present = g.output(f"present_conv.{index}", self.weights.elem_type, ["batch_size", s.conv_dim, s.conv_kernel - 1])
        conv_weight = self.constant(f"{at}.conv.weight", tensor(f"{key}.conv1d.weight"))
        # Channels first: with channels_last the operator's state would be (batch, kernel-1, conv_dim) since 1.32.
        first = g.node("Transpose", [xbc], f"{at}.xbc_first", perm=[0, 2, 1])  # (batch, conv_dim, seq)
        g.node(
            "CausalConvWithState", [first, conv_weight, conv_bias, past], [f"{at}.conv_first", present], MS,
            activation="silu", ndim=1,
        )  # fmt: skip
        conv = g.node("Transpose", [f"{at}.conv_first"], f"{at}.conv", perm=[0, 2, 1])  # (batch, seq, conv_dim)

        conv = self.to_float(conv)
        channels, b, c = f"{at}.x", f"{at}.B", f"{at}.C"
        g.node("Split", [conv, self.ints(f"{at}.conv_split", s.inner_size, bc, bc)], [channels, b, c], axis=-1)
        dt, decay = self.time_step(self.to_float(dt_raw), index)  # (batch, seq, heads) each

        by_head = self.ints("by_head", 0, 0, heads, head_dim)
        flat = self.ints("flat_inner", 0, 0, s.inner_size)
        x4 = g.node("Reshape", [channels, by_head], f"{at}.x_heads")  # (batch, seq, heads, head_dim)
        dt4 = g.node("Unsqueeze", [dt, self.ints("last_axis", -1)], f"{at}.dt_heads")
        value = g.node("Reshape", [g.node("Mul", [x4, dt4], f"{at}.dtx_heads"), flat], f"{at}.dtx")

        state_shape = ["batch_size", heads, s.ssm_state_size, head_dim]
        past_ssm = g.input(f"past_ssm.{index}", TensorProto.FLOAT, state_shape)
        present_ssm = g.output(f"present_ssm.{index}", TensorProto.FLOAT, state_shape)
        y = g.node(
            "LinearAttention", [c, b, value, past_ssm, decay], [f"{at}.scan", present_ssm], MS,
            update_rule="gated", scale=1.0, q_num_heads=s.n_groups, kv_num_heads=heads,
        )  # fmt: skip  # (batch, seq, inner)
        skip = g.constant(f"{at}.D", np.repeat(tensor(f"{key}.D"), head_dim).astype(np.float32))
        skipped = g.node("Mul", [channels, skip], f"{at}.Dx")
        y = self.from_float(g.node("Add", [y, skipped], f"{at}.y"))

        silu = g.node("QuickGelu", [gate], f"{at}.z_silu", MS, alpha=1.0)  # z * sigmoid(z)
        gated = g.node("Mul", [y, silu], f"{at}.gated")
        normed = self.gated_norm(gated, f"{at}.mixer_norm", tensor(f"{key}.norm.weight"))
        return self.linear(normed, f"{at}.out_proj", f"{key}.out_proj")

    def time_step(self, raw: str, index: int) -> tuple[str, str]:
        """dt = softplus(raw + bias) and decay = A * dt with A = -exp(A_log); float32 (batch, seq, heads)."""
        g, at, key = self.g, f"layers.{index}", f"model.layers.{index}.mixer"
        bias = g.constant(f"{at}.dt_bias", self.checkpoint.tensor(f"{key}.dt_bias").astype(np.float32))
        a = -np.exp(self.checkpoint.tensor(f"{key}.A_log").astype(np.float32))
        if not self.checkpoint.time_step_min:
            # One fused node for the decay; dt is the decay divided by A.
            decay = g.node("LinearAttentionGate", [raw, bias, g.constant(f"{at}.A", a)], f"{at}.decay", MS)
            return g.node("Mul", [decay, g.constant(f"{at}.A_inverse", 1.0 / a)], f"{at}.dt"), decay
        shifted = g.node("Add", [raw, bias], f"{at}.dt_shifted")
        soft = g.node("Softplus", [shifted], f"{at}.dt_soft")
        floor = g.constant("time_step_min", np.array(self.checkpoint.time_step_min, np.float32))
        dt = g.node("Max", [soft, floor], f"{at}.dt")
        return dt, g.node("Mul", [dt, g.constant(f"{at}.A", a)], f"{at}.decay")

    def gated_norm(self, x: str, name: str, weight: np.ndarray) -> str:
        """RMS norm over each group of channels; the gate has been multiplied in before (Nemotron's order)."""
        g, s = self.g, self.shape
        eps = s.layer_norm_epsilon
        if s.n_groups == 1:
            return g.node("SimplifiedLayerNormalization", [x, self.constant(name + ".weight", weight)], name, axis=-1, epsilon=eps)
        size = s.inner_size // s.n_groups
        groups = g.node("Reshape", [x, self.ints("by_group", 0, 0, s.n_groups, size)], name + "_groups")
        ones = self.constant("group_ones", np.ones(size))
        normed = g.node("SimplifiedLayerNormalization", [groups, ones], name + "_unit", axis=-1, epsilon=eps)
        flat = g.node("Reshape", [normed, self.ints("flat_inner", 0, 0, s.inner_size)], name + "_flat")
        return g.node("Mul", [flat, self.constant(name + ".weight", weight)], name)

    def sequence_lengths(self) -> None:
        """The two int32 values GroupQueryAttention reads: tokens before the last, and tokens in all."""
        g = self.g
        total = g.node("ReduceSum", ["attention_mask", self.ints("axis_1", 1)], "mask_sum", keepdims=0)
        last = g.node("Sub", [total, self.ints("one", 1)], "last_index")
        g.node("Cast", [last], "seqlens_k", to=TensorProto.INT32)
        shape = g.node("Shape", ["attention_mask"], "mask_length", start=1, end=2)
        scalar = g.node("Squeeze", [shape], "mask_length_scalar")
        g.node("Cast", [scalar], "total_sequence_length", to=TensorProto.INT32)

    def attention(self, x: str, index: int) -> str:
        """Grouped-query attention without positions: x (batch, seq, hidden) to (batch, seq, hidden)."""
        g, s, at = self.g, self.shape, f"layers.{index}"
        key = f"model.layers.{index}.mixer"
        rows = [self.checkpoint.tensor(f"{key}.{part}_proj.weight") for part in "qkv"]
        packed = self.weights.linear(g, x, f"{at}.qkv_proj", np.concatenate(rows))
        past, present = [], []
        for part in ("key", "value"):
            kv = ["batch_size", s.num_key_value_heads, "past_sequence_length", s.head_dim]
            past.append(g.input(f"past_key_values.{index}.{part}", self.weights.elem_type, kv))
            kv = ["batch_size", s.num_key_value_heads, "total_sequence_length", s.head_dim]
            present.append(g.output(f"present.{index}.{part}", self.weights.elem_type, kv))
        if self.weights.fused_attention:
            y = g.node(
                "GroupQueryAttention",
                [packed, "", "", *past, "seqlens_k", "total_sequence_length"],
                [f"{at}.attention", *present], MS,
                num_heads=s.num_attention_heads, kv_num_heads=s.num_key_value_heads, do_rotary=0, scale=s.head_dim**-0.5,
            )  # fmt: skip  # (batch, seq, heads * head_dim)
        else:
            y = self.plain_attention(packed, past, present, at)
        return self.linear(y, f"{at}.o_proj", f"{key}.o_proj")

    def causal_mask(self) -> None:
        """What plain attention adds to its scores: 0 where a key is not later than the query, else -1e30; (seq, total)."""
        g = self.g
        zero, one = g.constant("int_0", np.array(0, np.int64)), g.constant("int_1", np.array(1, np.int64))
        total = g.node("Squeeze", [g.node("Shape", ["attention_mask"], "total_1d", start=1, end=2)], "total")
        new = g.node("Squeeze", [g.node("Shape", ["input_ids"], "new_1d", start=1, end=2)], "new")
        queries = g.node("Range", [g.node("Sub", [total, new], "seen"), total, one], "query_positions")
        queries = g.node("Unsqueeze", [queries, self.ints("last_axis", -1)], "query_column")
        keys = g.node("Range", [zero, total, one], "key_positions")
        allowed = g.node("LessOrEqual", [keys, queries], "allowed")
        g.node("Where", [allowed, self.constant("score_0", np.zeros(())), self.constant("score_no", np.array(-1e30))], "causal_mask")

    def plain_attention(self, packed: str, past: list[str], present: list[str], at: str) -> str:
        """GroupQueryAttention written out in products: packed q, k, v (batch, seq, ...) to (batch, seq, heads * head_dim)."""
        g, s = self.g, self.shape
        heads, kv_heads, dim = s.num_attention_heads, s.num_key_value_heads, s.head_dim
        sizes = self.ints("qkv_split", heads * dim, kv_heads * dim, kv_heads * dim)
        g.node("Split", [packed, sizes], [f"{at}.q", f"{at}.k", f"{at}.v"], axis=-1)
        by_group = self.ints("query_heads", 0, 0, kv_heads, heads // kv_heads, dim)
        q = g.node("Reshape", [f"{at}.q", by_group], f"{at}.q_heads")
        q = g.node("Transpose", [q], f"{at}.q_first", perm=[0, 2, 3, 1, 4])  # (batch, kv_heads, group, seq, head_dim)
        caches = []
        for part, before, after in zip("kv", past, present, strict=True):
            new = g.node("Reshape", [f"{at}.{part}", self.ints("kv_heads", 0, 0, kv_heads, dim)], f"{at}.{part}_heads")
            new = g.node("Transpose", [new], f"{at}.{part}_first", perm=[0, 2, 1, 3])
            cache = g.node("Concat", [before, new], after, axis=2)  # (batch, kv_heads, total, head_dim)
            caches.append(g.node("Unsqueeze", [cache, self.ints("axis_2", 2)], f"{at}.{part}_all"))
        keys = g.node("Transpose", [caches[0]], f"{at}.k_transposed", perm=[0, 1, 2, 4, 3])
        scale = self.constant("score_scale", np.array(dim**-0.5))
        scores = g.node("Mul", [g.node("MatMul", [q, keys], f"{at}.scores"), scale], f"{at}.scores_scaled")
        scores = g.node("Add", [scores, "causal_mask"], f"{at}.scores_masked")
        y = g.node("MatMul", [g.node("Softmax", [scores], f"{at}.weights", axis=-1), caches[1]], f"{at}.mixed")
        y = g.node("Transpose", [y], f"{at}.mixed_last", perm=[0, 3, 1, 2, 4])
        return g.node("Reshape", [y, self.ints("flat_heads", 0, 0, heads * dim)], f"{at}.attention")

    def export(self) -> onnx.ModelProto:
        """Writes the whole graph."""
        g, s, tensor = self.g, self.shape, self.checkpoint.tensor
        g.input("input_ids", TensorProto.INT64, ["batch_size", "sequence_length"])
        g.input("attention_mask", TensorProto.INT64, ["batch_size", "total_sequence_length"])
        g.input("num_logits_to_keep", TensorProto.INT64, [])
        g.output("logits", TensorProto.FLOAT, ["batch_size", "logits_length", s.vocab_size])
        if "attention" in s.layer_types:
            if self.weights.fused_attention:
                self.sequence_lengths()
            else:
                self.causal_mask()

        table = tensor("model.embeddings.weight")
        residual = self.weights.embedding(g, "input_ids", "embedded", table)  # (batch, seq, hidden)
        added = ""  # the last mixer's output, not yet in the residual stream
        names = [f"model.layers.{i}.norm.weight" for i in range(len(s.layer_types))] + ["model.norm_f.weight"]
        for index, name in enumerate(names):
            weight = self.constant(name.removeprefix("model."), tensor(name))
            normed = f"layers.{index}.normed" if index < len(s.layer_types) else "final_normed"
            if not added:
                g.node("SimplifiedLayerNormalization", [residual, weight], normed, axis=-1, epsilon=s.layer_norm_epsilon)
            else:
                summed = f"layers.{index}.residual"
                outputs = [normed, "", "", summed] if index < len(s.layer_types) else normed
                g.node(
                    "SkipSimplifiedLayerNormalization", [residual, added, weight], outputs, MS, epsilon=s.layer_norm_epsilon
                )
                residual = summed
            if index == len(s.layer_types):
                break
            layer = s.layer_types[index]
            if layer == "mamba":
                added = self.mamba(normed, index)
            elif layer == "attention":
                added = self.attention(normed, index)
            elif layer == "mlp":
                added = self.mlp(normed, f"layers.{index}", f"model.layers.{index}.mixer")
            else:
                added = self.moe(normed, index)

        # The head runs on the last num_logits_to_keep tokens only; 0 keeps all, as in Hugging Face.
        start = g.node("Neg", ["num_logits_to_keep"], "first_kept")
        start = g.node("Unsqueeze", [start, self.ints("axis_0", 0)], "first_kept_1d")
        kept = g.node("Slice", ["final_normed", start, self.ints("slice_end", INT64_MAX), self.ints("axis_1", 1)], "kept")
        head = table if s.tie_word_embeddings else tensor("lm_head.weight")
        self.weights.head(g, kept, "logits", head, s.tie_word_embeddings)
        return g.model("tidepool", {"pattern": s.pattern, "variant": self.weights.variant})


def export_model(checkpoint: Checkpoint, weights: WeightFormat | None = None) -> onnx.ModelProto:
    """Builds the ONNX model of a checkpoint; float32 unless another weight format is given."""
    return Exporter(checkpoint, weights or FloatFormat()).export()


def main() -> None:
    """Command line: write the float32 graph of a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True, help="folder with config.json and model.safetensors")
    parser.add_argument("--out", required=True, type=Path, help="file to write, for example model.onnx")
    arguments = parser.parse_args()
    onnx.save(export_model(load_checkpoint(arguments.checkpoint)), arguments.out)


if __name__ == "__main__":
    main()
