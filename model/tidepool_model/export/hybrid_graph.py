"""Owns the ONNX graphs of a HybridLlama, under the cache names that transformers.js knows as `granitemoehybrid`.

Three graphs read one set of weights (weight_parts.py): 4-bit codes with float16 scales, the embedding and the head that
shares it in 8 bits. `q4` and `q4f16` are for WebGPU. `quantized` is for WASM: attention written out, the embedding looked up by
operators that every build has; the engine's own kernels multiply its weights as they are packed (workers/kernels/), and know
the attention that is written out here by the names of its values.
States: past_conv.N (batch, conv_dim, 3), past_ssm.N (batch, heads, state, head_dim), past_key_values.N.key/value
(batch, kv_heads, past, head_dim), keys turned by their positions already. Batches must not be padded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from ..architecture.grid import BLOCK
from ..architecture.hybrid_checkpoint import HybridCheckpoint
from .hybrid_codes import Matrix, Matrices
from .onnx_graph import MS, Graph
from .weight_parts import WeightParts

INT64_MAX = np.iinfo(np.int64).max
FINE_STEPS = 64  # positions between two coarse steps of the rotary tables


@dataclass(frozen=True)
class Form:
    """What sets the graphs of one model apart."""

    variant: str  # dtype of transformers.js
    file: str
    half: bool = False  # residual stream, attention and MLP in float16; Mamba mixers, norms' sums and logits stay float32
    fused: bool = True  # operators of the GPU's provider; False: such as every CPU build has
    accuracy_level: int = 4  # 4: MatMulNBits may round its input to int8, the fast path on WebGPU; 0: it may not

    @property
    def elem_type(self) -> int:
        return TensorProto.FLOAT16 if self.half else TensorProto.FLOAT


FORMS = {
    "q4": Form("q4", "model_q4.onnx"),
    "q4f16": Form("q4f16", "model_q4f16.onnx", half=True),
    "quantized": Form("quantized", "model_quantized.onnx", fused=False, accuracy_level=0),
}


@dataclass
class SharedGraph(Graph):
    """A graph whose weights lie in parts that other graphs read too."""

    parts: WeightParts = field(default_factory=WeightParts)
    file: str = ""

    def scalar(self, name: str, value: float, dtype: type = np.float32) -> str:
        """An initializer without dimensions."""
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(np.array(value, dtype), name)
        return name

    def stored(self, name: str, array: np.ndarray) -> str:
        """An initializer in the parts."""
        if name not in self.initializers:
            self.initializers[name] = self.parts.tensor(name, array, self.file)
        return name


class HybridExporter:
    """Walks the blocks of one checkpoint."""

    def __init__(self, checkpoint: HybridCheckpoint, matrices: Matrices, parts: WeightParts, form: Form) -> None:
        self.config = checkpoint.config
        self.tensor = checkpoint.tensor
        self.matrices = matrices
        self.form = form
        self.g = SharedGraph(parts=parts, file=form.file)

    def ints(self, name: str, *values: int) -> str:
        return self.g.constant(name, np.array(values, np.int64))

    def floats(self, name: str, array: np.ndarray) -> str:
        """A small float32 tensor in the parts."""
        return self.g.stored(name, array.astype(np.float32))

    def cast(self, x: str, name: str, to: int) -> str:
        return self.g.node("Cast", [x], name, to=to)

    def own(self, name: str) -> str:
        """A float32 initializer in the activations' type; cast once, when the graph is loaded."""
        return self.narrow(name)

    def wide(self, x: str) -> str:
        return self.cast(x, x + "_f32", TensorProto.FLOAT) if self.form.half else x

    def narrow(self, x: str) -> str:
        return self.cast(x, x + "_f16", TensorProto.FLOAT16) if self.form.half else x

    def scales(self, name: str, matrix: Matrix) -> str:
        """Scales of a matrix in the activations' type: kept as float16, cast once where the graph is float32."""
        kept = self.g.stored(name + ".scales", matrix.scales)
        return kept if self.form.half else self.cast(kept, kept + "_f32", TensorProto.FLOAT)

    def product(self, x: str, name: str, matrix: Matrix, stored_as: str | None = None) -> str:
        """x (..., inputs) times a matrix, (..., rows)."""
        stored = stored_as or name
        codes = self.g.stored(stored + ".codes", matrix.packed)
        scales = self.scales(stored, matrix)
        return self.g.node(
            "MatMulNBits", [x, codes, scales], name, MS, K=matrix.inputs, N=matrix.rows, bits=matrix.bits,
            block_size=BLOCK, accuracy_level=self.form.accuracy_level,
        )  # fmt: skip

    def embedding(self) -> str:
        """Rows of input_ids, (batch, seq, hidden)."""
        g, table = self.g, self.matrices.embedding
        codes = g.stored("embeddings.codes", table.packed)  # (vocab, blocks, 32)
        scales = g.stored("embeddings.scales", table.scales)  # (vocab, blocks)
        flat = self.ints("flat_hidden", 0, 0, self.config.hidden_size)
        if self.form.fused:
            by_block = g.node("Reshape", [scales, self.ints("scale_column", 0, 0, 1)], "embeddings.scale_column")
            if not self.form.half:
                by_block = self.cast(by_block, "embeddings.scale_column_f32", TensorProto.FLOAT)
            rows = g.node(
                "GatherBlockQuantized", [codes, "input_ids", by_block], "embedded_blocks", MS, bits=8, block_size=BLOCK,
                gather_axis=0, quantize_axis=2,
            )  # fmt: skip  # (batch, seq, blocks, 32)
        else:
            gathered = self.cast(g.node("Gather", [codes, "input_ids"], "embedded_codes", axis=0), "embedded_codes_f32", TensorProto.FLOAT)
            centred = g.node("Sub", [gathered, g.scalar("code_zero", 128)], "embedded_centred")
            scale = self.cast(g.node("Gather", [scales, "input_ids"], "embedded_scales", axis=0), "embedded_scales_f32", TensorProto.FLOAT)
            scale = g.node("Unsqueeze", [scale, self.ints("last_axis", -1)], "embedded_scale_column")
            rows = g.node("Mul", [centred, scale], "embedded_blocks")
        return g.node("Reshape", [rows, flat], "embedded")

    def positions(self) -> None:
        """cos and sin of every position, (positions, head_dim / 2), from 64 fine and some coarse steps when the graph is loaded.

        A whole table would be 2 MB; sines reckoned in the graph would be float32's of large angles, since the builds with
        WebGPU have no float64. cos(a + b) = cos a cos b - sin a sin b is exact to float32's rounding.
        """
        g, c = self.g, self.config
        if "*" not in c.pattern:
            return
        frequency = c.rope_theta ** (-np.arange(0, c.head_dim, 2, dtype=np.float64) / c.head_dim)  # (head_dim / 2)
        coarse = np.arange(0, c.max_position_embeddings, FINE_STEPS)[:, None, None] * frequency  # (coarse, 1, head_dim / 2)
        fine = np.arange(FINE_STEPS)[None, :, None] * frequency  # (1, fine, head_dim / 2)
        cos_a, sin_a = (self.floats(f"rotary_coarse_{op.__name__}", op(coarse)) for op in (np.cos, np.sin))
        cos_b, sin_b = (self.floats(f"rotary_fine_{op.__name__}", op(fine)) for op in (np.cos, np.sin))
        flat = self.ints("rotary_shape", -1, c.head_dim // 2)
        for name, op, pairs in (
            ("rotary_cos", "Sub", ((cos_a, cos_b), (sin_a, sin_b))),
            ("rotary_sin", "Add", ((sin_a, cos_b), (cos_a, sin_b))),
        ):
            terms = [g.node("Mul", list(pair), f"{name}_{i}") for i, pair in enumerate(pairs)]
            table = g.node("Reshape", [g.node(op, terms, name + "_by_step"), flat], name + ("_f32" if self.form.half else ""))
            if self.form.half:
                self.cast(table, name, TensorProto.FLOAT16)
        if self.form.fused:
            self.sequence_lengths()
        else:
            self.causal_mask()

    def sequence_lengths(self) -> None:
        """The two int32 values that GroupQueryAttention reads: tokens before the last, and tokens in all."""
        g = self.g
        total = g.node("ReduceSum", ["attention_mask", self.ints("axis_1", 1)], "mask_sum", keepdims=0)
        self.cast(g.node("Sub", [total, self.ints("one", 1)], "last_index"), "seqlens_k", TensorProto.INT32)
        shape = g.node("Shape", ["attention_mask"], "mask_length", start=1, end=2)
        self.cast(g.node("Squeeze", [shape], "mask_length_scalar"), "total_sequence_length", TensorProto.INT32)

    def causal_mask(self) -> None:
        """What written-out attention adds to its scores: 0 where a key is not later than the query, else -1e30; (seq, total)."""
        g = self.g
        zero, one = g.scalar("int_0", 0, np.int64), g.scalar("int_1", 1, np.int64)
        total = g.node("Squeeze", [g.node("Shape", ["attention_mask"], "total_1d", start=1, end=2)], "total")
        new = g.node("Squeeze", [g.node("Shape", ["input_ids"], "new_1d", start=1, end=2)], "new")
        queries = g.node("Range", [g.node("Sub", [total, new], "seen"), total, one], "query_positions")
        column = g.node("Unsqueeze", [queries, self.ints("last_axis", -1)], "query_column")
        keys = g.node("Range", [zero, total, one], "key_positions")
        allowed = g.node("LessOrEqual", [keys, column], "allowed")
        no, yes = g.scalar("score_no", -1e30), g.scalar("score_0", 0)
        g.node("Where", [allowed, yes, no], "causal_mask")

    def attention(self, x: str, index: int) -> str:
        """Grouped-query attention with rotary positions: x (batch, seq, hidden) to (batch, seq, hidden)."""
        g, c, at = self.g, self.config, f"layers.{index}"
        packed = self.product(x, f"{at}.qkv_proj", self.matrices.of(f"{at}.qkv_proj"))
        heads, kv_heads, dim = c.num_attention_heads, c.num_key_value_heads, c.head_dim
        sizes = self.ints("qkv_split", heads * dim, kv_heads * dim, kv_heads * dim)
        g.node("Split", [packed, sizes], [f"{at}.q_flat", f"{at}.k_flat", f"{at}.v"], axis=-1)
        turned = [
            g.node("RotaryEmbedding", [f"{at}.{part}_flat", "position_ids", "rotary_cos", "rotary_sin"], f"{at}.{part}_turned", MS)
            for part in "qk"
        ]
        past, present = [], []
        for part in ("key", "value"):
            dims = ["batch_size", kv_heads, "past_sequence_length", dim]
            past.append(g.input(f"past_key_values.{index}.{part}", self.form.elem_type, dims))
            present.append(g.output(f"present.{index}.{part}", self.form.elem_type, [*dims[:2], "total_sequence_length", dim]))
        if self.form.fused:
            y = g.node(
                "GroupQueryAttention", [*turned, f"{at}.v", *past, "seqlens_k", "total_sequence_length"],
                [f"{at}.attention", *present], MS, num_heads=heads, kv_num_heads=kv_heads, do_rotary=0, scale=dim**-0.5,
            )  # fmt: skip  # (batch, seq, heads * head_dim)
        else:
            y = self.written_out([*turned, f"{at}.v"], past, present, at)
        return self.product(y, f"{at}.o_proj", self.matrices.of(f"{at}.o_proj"))

    def written_out(self, qkv: list[str], past: list[str], present: list[str], at: str) -> str:
        """GroupQueryAttention in products: q, k, v (batch, seq, ...) to (batch, seq, heads * head_dim)."""
        g, c = self.g, self.config
        heads, kv_heads, dim = c.num_attention_heads, c.num_key_value_heads, c.head_dim
        q = g.node("Reshape", [qkv[0], self.ints("query_heads", 0, 0, kv_heads, heads // kv_heads, dim)], f"{at}.q_heads")
        q = g.node("Transpose", [q], f"{at}.q_first", perm=[0, 2, 3, 1, 4])  # (batch, kv_heads, group, seq, head_dim)
        caches = []
        for part, flat, before, after in zip("kv", qkv[1:], past, present, strict=True):
            new = g.node("Reshape", [flat, self.ints("kv_heads", 0, 0, kv_heads, dim)], f"{at}.{part}_heads")
            new = g.node("Transpose", [new], f"{at}.{part}_first", perm=[0, 2, 1, 3])
            cache = g.node("Concat", [before, new], after, axis=2)  # (batch, kv_heads, total, head_dim)
            caches.append(g.node("Unsqueeze", [cache, self.ints("axis_2", 2)], f"{at}.{part}_all"))
        keys = g.node("Transpose", [caches[0]], f"{at}.k_transposed", perm=[0, 1, 2, 4, 3])
        scale = g.scalar("score_scale", dim**-0.5)
        scores = g.node("Mul", [g.node("MatMul", [q, keys], f"{at}.scores"), scale], f"{at}.scores_scaled")
        scores = g.node("Add", [scores, "causal_mask"], f"{at}.scores_masked")
        y = g.node("MatMul", [g.node("Softmax", [scores], f"{at}.weights", axis=-1), caches[1]], f"{at}.mixed")
        y = g.node("Transpose", [y], f"{at}.mixed_last", perm=[0, 3, 1, 2, 4])
        return g.node("Reshape", [y, self.ints("flat_heads", 0, 0, heads * dim)], f"{at}.attention")

    def mamba(self, x: str, index: int) -> str:
        """The mixer of HeadwiseMamba2: x (batch, seq, hidden) to (batch, seq, hidden); float32 inside in every variant."""
        g, c, at = self.g, self.config, f"layers.{index}"
        key = f"{at}.mixer"
        heads, head_dim, inner, state = c.mamba_n_heads, c.mamba_d_head, c.inner_size, c.mamba_n_heads * c.mamba_d_state
        projected = self.wide(self.product(x, f"{at}.in_proj", self.matrices.of(f"{at}.in_proj")))
        sizes = self.ints("in_split", inner, c.conv_dim, heads)
        g.node("Split", [projected, sizes], [f"{at}.z", f"{at}.xbc", f"{at}.dt_raw"], axis=-1)

        window = ["batch_size", c.conv_dim, c.mamba_d_conv - 1]
        past = g.input(f"past_conv.{index}", TensorProto.FLOAT, window)
        present = g.output(f"present_conv.{index}", TensorProto.FLOAT, window)
        taps = self.floats(f"{at}.conv.weight", self.tensor(f"{key}.conv_weight")[:, None, :])  # (conv_dim, 1, k)
        bias = self.floats(f"{at}.conv.bias", self.tensor(f"{key}.conv_bias"))
        # Channels first: with channels_last the operator's state would be (batch, kernel-1, conv_dim) since 1.32.
        first = g.node("Transpose", [f"{at}.xbc"], f"{at}.xbc_first", perm=[0, 2, 1])  # (batch, conv_dim, seq)
        g.node("CausalConvWithState", [first, taps, bias, past], [f"{at}.conv_first", present], MS, activation="none", ndim=1)
        conv = g.node("Transpose", [f"{at}.conv_first"], f"{at}.conv", perm=[0, 2, 1])  # (batch, seq, conv_dim)
        g.node("Split", [conv, self.ints("conv_split", inner, 2 * state)], [f"{at}.x", f"{at}.bc_linear"], axis=-1)
        bc = g.node("QuickGelu", [f"{at}.bc_linear"], f"{at}.bc", MS, alpha=1.0)  # SiLU, on B and C only
        g.node("Split", [bc, self.ints("bc_split", state, state)], [f"{at}.B", f"{at}.C"], axis=-1)

        # One fused node for the decay A * dt; dt is the decay divided by A.
        a = -np.exp(self.tensor(f"{key}.A_log").astype(np.float64))
        dt_bias = self.floats(f"{at}.dt_bias", self.tensor(f"{key}.dt_bias"))
        decay = g.node("LinearAttentionGate", [f"{at}.dt_raw", dt_bias, self.floats(f"{at}.A", a)], f"{at}.decay", MS)
        dt = g.node("Mul", [decay, self.floats(f"{at}.A_inverse", 1 / a)], f"{at}.dt")  # (batch, seq, heads)
        x4 = g.node("Reshape", [f"{at}.x", self.ints("by_head", 0, 0, heads, head_dim)], f"{at}.x_heads")
        dt4 = g.node("Unsqueeze", [dt, self.ints("last_axis", -1)], f"{at}.dt_heads")
        value = g.node("Reshape", [g.node("Mul", [x4, dt4], f"{at}.dtx_heads"), self.ints("flat_inner", 0, 0, inner)], f"{at}.dtx")

        dims = ["batch_size", heads, c.mamba_d_state, head_dim]
        past_ssm = g.input(f"past_ssm.{index}", TensorProto.FLOAT, dims)
        present_ssm = g.output(f"present_ssm.{index}", TensorProto.FLOAT, dims)
        y = g.node(
            "LinearAttention", [f"{at}.C", f"{at}.B", value, past_ssm, decay], [f"{at}.scan", present_ssm], MS,
            update_rule="gated", scale=1.0, q_num_heads=heads, kv_num_heads=heads,
        )  # fmt: skip  # (batch, seq, inner)

        gate = g.node("Add", [f"{at}.z", self.floats(f"{at}.z_bias", self.tensor(f"{key}.z_bias"))], f"{at}.gate")
        # The operator norms as many channels as its weight has: one head. The weight itself goes over all heads, after it.
        ones = g.constant("head_ones", np.ones(head_dim, np.float32))
        gated = g.node("GatedRMSNorm", [y, ones, gate], f"{at}.gated", MS, epsilon=c.rms_norm_eps)
        weight = self.floats(f"{at}.mixer_norm", self.tensor(f"{key}.norm_weight"))
        return self.product(
            self.narrow(g.node("Mul", [gated, weight], f"{at}.mixed")), f"{at}.out_proj", self.matrices.of(f"{at}.out_proj")
        )

    def mlp(self, x: str, index: int) -> str:
        """SwiGLU with gate and up in one product: x (batch, seq, hidden) to (batch, seq, hidden)."""
        g, at, size = self.g, f"layers.{index}.mlp", self.config.intermediate_size
        both = self.product(x, f"{at}_in", self.matrices.of(f"{at}_in"))
        g.node("Split", [both, self.ints("mlp_split", size, size)], [f"{at}_gate", f"{at}_up"], axis=-1)
        open_gate = g.node("QuickGelu", [f"{at}_gate"], f"{at}_silu", MS, alpha=1.0)
        return self.product(g.node("Mul", [open_gate, f"{at}_up"], f"{at}_hidden"), f"{at}_out", self.matrices.of(f"{at}_out"))

    def export(self) -> onnx.ModelProto:
        g, c = self.g, self.config
        g.input("input_ids", TensorProto.INT64, ["batch_size", "sequence_length"])
        g.input("attention_mask", TensorProto.INT64, ["batch_size", "total_sequence_length"])
        g.input("position_ids", TensorProto.INT64, ["batch_size", "sequence_length"])
        g.input("num_logits_to_keep", TensorProto.INT64, [])
        g.output("logits", TensorProto.FLOAT, ["batch_size", "logits_length", c.vocab_size])
        self.positions()
        residual, added = self.embedding(), ""  # (batch, seq, hidden); what the last sublayer said and is not added yet
        for index, letter in enumerate(c.pattern):
            at = f"layers.{index}"
            normed, residual = self.norm(residual, added, f"{at}.input_layernorm", f"{at}.normed")
            added = self.mamba(normed, index) if letter == "M" else self.attention(normed, index)
            normed, residual = self.norm(residual, added, f"{at}.post_attention_layernorm", f"{at}.mlp_normed")
            added = self.mlp(normed, index)
        normed, _ = self.norm(residual, added, "norm", "final_normed")
        # The head runs on the last num_logits_to_keep tokens only; 0 keeps all, as in Hugging Face.
        start = g.node("Neg", ["num_logits_to_keep"], "first_kept")
        start = g.node("Unsqueeze", [start, self.ints("axis_0", 0)], "first_kept_1d")
        kept = g.node("Slice", [normed, start, self.ints("slice_end", INT64_MAX), self.ints("axis_1", 1)], "kept")
        logits = self.product(kept, "logits_f16" if self.form.half else "logits", self.matrices.embedding, "embeddings")
        if self.form.half:
            self.cast(logits, "logits", TensorProto.FLOAT)
        return g.model("lagoon", {"pattern": c.pattern, "variant": self.form.variant})

    def norm(self, residual: str, added: str, key: str, name: str) -> tuple[str, str]:
        """RMS norm of the residual stream with what was said added to it; gives both."""
        weight = self.own(self.floats(key, self.tensor(key + ".weight")))
        epsilon = self.config.rms_norm_eps
        if not added:
            return self.g.node("SimplifiedLayerNormalization", [residual, weight], name, axis=-1, epsilon=epsilon), residual
        summed = name + "_residual"
        self.g.node("SkipSimplifiedLayerNormalization", [residual, added, weight], [name, "", "", summed], MS, epsilon=epsilon)
        return name, summed


def export_hybrid(checkpoint: HybridCheckpoint, matrices: Matrices, parts: WeightParts, form: Form) -> onnx.ModelProto:
    """The graph of one form; its weights go into `parts`, where those that another form put there are found again."""
    return HybridExporter(checkpoint, matrices, parts, form).export()
