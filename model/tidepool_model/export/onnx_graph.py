"""Owns a small builder over onnx.helper, and the weight formats: how a matrix becomes nodes in each variant.

It knows operators and layouts, not the model. Formats: float32, MatMulNBits (WebGPU), folded integers (WASM).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .quantise import BlockQuantised, quantise_blocks, quantise_rows

OPSET = 21  # first opset with 4-bit integers in Cast and DequantizeLinear
IR_VERSION = 10  # what onnxruntime-web 1.30 reads
MS = "com.microsoft"


@dataclass
class Graph:
    """Collects nodes and initializers; every value is named after its place in the model."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: dict[str, onnx.TensorProto] = field(default_factory=dict)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    def constant(self, name: str, array: np.ndarray) -> str:
        """Adds an initializer once and returns its name."""
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def node(self, op: str, inputs: list[str], output: str | list[str], domain: str = "", **attributes) -> str:
        """Adds one node; returns its first output's name."""
        outputs = [output] if isinstance(output, str) else output
        name = "/" + outputs[0] + "/" + op
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0]

    def folded(self, op: str, inputs: list[str], output: str, **attributes) -> str:
        """Adds a node over initializers only, which is computed at load and gone: it needs no name of its own."""
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def input(self, name: str, elem_type: int, shape: list[int | str]) -> str:
        """Declares a graph input."""
        self.inputs.append(helper.make_tensor_value_info(name, elem_type, shape))
        return name

    def output(self, name: str, elem_type: int, shape: list[int | str]) -> str:
        """Declares a graph output."""
        self.outputs.append(helper.make_tensor_value_info(name, elem_type, shape))
        return name

    def model(self, name: str, metadata: dict[str, str]) -> onnx.ModelProto:
        """Closes the graph into a checked model."""
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, list(self.initializers.values()))
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MS, 1)],
            ir_version=IR_VERSION,
            producer_name="tidepool_model",
        )
        helper.set_model_props(model, metadata)
        return model


class FloatFormat:
    """float32 weights: parity with the checkpoint."""

    variant = "fp32"
    fused_attention = True
    numpy_type = np.float32
    elem_type = TensorProto.FLOAT

    def linear(self, g: Graph, x: str, name: str, weight: np.ndarray) -> str:
        """x (..., K) times weight (N, K) transposed, gives (..., N)."""
        return g.node("MatMul", [x, g.constant(name + ".weight_t", weight.T)], name)

    def stack(self, g: Graph, selected: str, name: str, weight: np.ndarray) -> str:
        """The `selected` (S,) of E matrices (E, N, K), transposed to multiply with: (S, K, N)."""
        return g.node("Gather", [g.constant(name + ".stack", weight.transpose(0, 2, 1)), selected], name + ".selected", axis=0)

    def embedding(self, g: Graph, ids: str, name: str, weight: np.ndarray) -> str:
        """Rows of weight (V, D) for ids (B, T), gives (B, T, D)."""
        return g.node("Gather", [g.constant("embeddings.weight", weight), ids], name, axis=0)

    def head(self, g: Graph, x: str, name: str, weight: np.ndarray, tied: bool) -> str:
        """Logits (B, T, V) in float32 from x (B, T, D); a tied head reuses the embedding's bytes."""
        table = g.constant("embeddings.weight" if tied else "lm_head.weight", weight)
        return g.node("MatMul", [x, g.node("Transpose", [table], "lm_head.weight_t", perm=[1, 0])], name)


def stacked_codes(codes_of: dict[str, BlockQuantised], name: str, weight: np.ndarray, block_size: int) -> BlockQuantised:
    """4-bit codes of experts' matrices (E, N, K) as one of (E * N, K): those that were fitted, or rounded here."""
    return codes_of.get(name) or quantise_blocks(weight.reshape(-1, weight.shape[2]), 4, block_size)


@dataclass
class NBitsFormat:
    """MatMulNBits weights for WebGPU: 4 bits in the layers, 8 bits in the embedding and head.

    `half` makes activations, scales, conv state and KV cache float16; logits and SSM state stay float32.
    """

    half: bool = False
    block_size: int = 32
    accuracy_level: int = 4  # 4 = int8 activations in the dot product, the fast path of the WebGPU kernel
    bits_of: dict[str, int] = field(default_factory=dict)  # matrices kept at other than 4 bits
    codes_of: dict[str, BlockQuantised] = field(default_factory=dict)  # matrices quantised elsewhere (GPTQ)
    importance: dict[str, np.ndarray] = field(default_factory=dict)  # mean squared input of each matrix

    fused_attention = True

    @property
    def variant(self) -> str:
        """The dtype name that transformers.js uses."""
        return "q4f16" if self.half else "q4"

    @property
    def numpy_type(self):
        """numpy type of activations."""
        return np.float16 if self.half else np.float32

    @property
    def elem_type(self) -> int:
        """ONNX type of activations."""
        return TensorProto.FLOAT16 if self.half else TensorProto.FLOAT

    def _block(self, size: int) -> int:
        for block in (self.block_size, 32, 16):
            if size % block == 0:
                return block
        raise ValueError(f"no block size of {self.block_size}, 32 or 16 divides K = {size}")

    def _matmul(self, g: Graph, x: str, name: str, data: str, scales: str, q: BlockQuantised) -> str:
        rows, blocks, block = q.codes.shape
        return g.node(
            "MatMulNBits", [x, data, scales], name, MS,
            K=blocks * block, N=rows, bits=q.bits, block_size=block, accuracy_level=self.accuracy_level,
        )  # fmt: skip

    def linear(self, g: Graph, x: str, name: str, weight: np.ndarray) -> str:
        """x (..., K) times weight (N, K) transposed, gives (..., N)."""
        q = self.codes_of.get(name)
        if q is None:
            bits = self.bits_of.get(name, 4)
            q = quantise_blocks(weight, bits, self._block(weight.shape[1]), self.importance.get(name))
        data = g.constant(name + ".weight_codes", q.packed())
        scales = g.constant(name + ".weight_scales", q.scales.astype(self.numpy_type))
        return self._matmul(g, x, name, data, scales, q)

    def stack(self, g: Graph, selected: str, name: str, weight: np.ndarray) -> str:
        """The `selected` (S,) of E matrices (E, N, K), in 4 bits, unpacked after the gathering and transposed: (S, K, N)."""
        q = stacked_codes(self.codes_of, name, weight, self._block(weight.shape[2]))
        data = g.constant(name + ".stack_codes", q.packed().reshape(*weight.shape[:2], -1))
        scales = g.constant(name + ".stack_scales", q.scales.reshape(*weight.shape[:2], -1).astype(self.numpy_type))
        rows = g.node(
            "GatherBlockQuantized", [data, selected, scales], name + ".selected_rows", MS,
            bits=4, block_size=q.codes.shape[2], gather_axis=0, quantize_axis=2,
        )  # fmt: skip
        return g.node("Transpose", [rows], name + ".selected", perm=[0, 2, 1])

    def embedding(self, g: Graph, ids: str, name: str, weight: np.ndarray) -> str:
        """Rows of weight (V, D) for ids (B, T), gives (B, T, D)."""
        q = quantise_blocks(weight, 8, self._block(weight.shape[1]))
        data = g.constant("embeddings.codes", q.codes.reshape(weight.shape))
        scales = g.constant("embeddings.scales", q.scales.astype(self.numpy_type))
        return g.node(
            "GatherBlockQuantized", [data, ids, scales], name, MS,
            bits=8, block_size=q.codes.shape[2], gather_axis=0, quantize_axis=1,
        )  # fmt: skip

    def head(self, g: Graph, x: str, name: str, weight: np.ndarray, tied: bool) -> str:
        """Logits (B, T, V) in float32 from x (B, T, D); a tied head reuses the embedding's bytes by a Reshape."""
        q = quantise_blocks(weight, 8, self._block(weight.shape[1]))
        if tied:
            data = g.node(
                "Reshape", ["embeddings.codes", g.constant("lm_head.code_shape", np.array(q.codes.shape))], "lm_head.codes"
            )
            scales = "embeddings.scales"
        else:
            data = g.constant("lm_head.codes", q.codes)
            scales = g.constant("lm_head.scales", q.scales.astype(self.numpy_type))
        if not self.half:
            return self._matmul(g, x, name, data, scales, q)
        half = self._matmul(g, x, name + "_f16", data, scales, q)
        return g.node("Cast", [half], name, to=TensorProto.FLOAT)


@dataclass
class FoldedFormat:
    """Integer weights for WASM that ONNX Runtime's constant folding turns into float32 at load.

    Each matrix is Cast(int) -> Mul(scale) -> Reshape on initializers only, so the default session options fold it:
    the download is 8 (or 4) bits a weight and the speed is that of float32. DequantizeLinear would need the option
    session.disable_quant_qdq=1 for the same. The embedding is gathered in int8 and scaled after the Gather.
    """

    bits: int = 8
    block_size: int = 32
    bits_of: dict[str, int] = field(default_factory=dict)
    codes_of: dict[str, BlockQuantised] = field(default_factory=dict)
    importance: dict[str, np.ndarray] = field(default_factory=dict)
    variant = "quantized"
    fused_attention = False  # GroupQueryAttention on WASM: 102 ms for 512 tokens of a `small` layer, plain products 31 ms
    numpy_type = np.float32
    elem_type = TensorProto.FLOAT

    def linear(self, g: Graph, x: str, name: str, weight: np.ndarray) -> str:
        """x (..., K) times weight (N, K) transposed, gives (..., N)."""
        if self.bits_of.get(name, self.bits) == 8:
            codes, scales = quantise_rows(weight)
            cast = g.folded("Cast", [g.constant(name + ".codes", codes.T)], name + ".cast", to=TensorProto.FLOAT)
            folded = g.folded("Mul", [cast, g.constant(name + ".scales", scales.T)], name + ".weight")
            return g.node("MatMul", [x, folded], name)
        q = self.codes_of.get(name) or quantise_blocks(weight, 4, self.block_size, self.importance.get(name))
        folded = self._four_bits(g, name, q.codes[None], q.scales[None], weight.T.shape)
        return g.node("MatMul", [x, folded], name)

    def _four_bits(self, g: Graph, name: str, codes: np.ndarray, scales: np.ndarray, shape: tuple[int, ...]) -> str:
        """codes (E, rows, blocks, block) and scales (E, rows, blocks), folded to (E, blocks * block, rows) or `shape`."""
        signed = (codes.astype(np.int8) - 8).transpose(0, 2, 3, 1)  # (E, blocks, block, rows)
        cast = g.folded("Cast", [g.constant(name + ".codes", signed.astype(ml_dtypes.int4))], name + ".cast", to=TensorProto.FLOAT)
        half = g.constant(name + ".scales", scales.transpose(0, 2, 1)[:, :, None, :].astype(np.float16))
        scaled = g.folded("Mul", [cast, g.folded("Cast", [half], name + ".scales_f32", to=TensorProto.FLOAT)], name + ".scaled")
        return g.folded("Reshape", [scaled, g.constant(name + ".shape", np.array(shape))], name + ".weight")

    def stack(self, g: Graph, selected: str, name: str, weight: np.ndarray) -> str:
        """The `selected` (S,) of E matrices (E, N, K), in 4 bits, transposed to multiply with: (S, K, N)."""
        experts, rows, size = weight.shape
        q = stacked_codes(self.codes_of, name, weight, self.block_size)
        codes, scales = (a.reshape(experts, rows, *a.shape[1:]) for a in (q.codes, q.scales))
        folded = self._four_bits(g, name, codes, scales, (experts, size, rows))
        return g.node("Gather", [folded, selected], name + ".selected", axis=0)

    def embedding(self, g: Graph, ids: str, name: str, weight: np.ndarray) -> str:
        """Rows of weight (V, D) for ids (B, T), gives (B, T, D)."""
        codes, scales = quantise_rows(weight)
        rows = g.node("Gather", [g.constant("embeddings.codes", codes), ids], name + ".rows", axis=0)
        cast = g.node("Cast", [rows], name + ".cast", to=TensorProto.FLOAT)
        scale = g.node("Gather", [g.constant("embeddings.scales", scales), ids], name + ".scale", axis=0)
        return g.node("Mul", [cast, scale], name)

    def head(self, g: Graph, x: str, name: str, weight: np.ndarray, tied: bool) -> str:
        """Logits (B, T, V) in float32 from x (B, T, D); a tied head folds the embedding's codes."""
        prefix = "embeddings" if tied else "lm_head"
        codes, scales = quantise_rows(weight)
        cast = g.folded("Cast", [g.constant(prefix + ".codes", codes)], "lm_head.cast", to=TensorProto.FLOAT)
        table = g.folded("Mul", [cast, g.constant(prefix + ".scales", scales)], "lm_head.weight")
        return g.node("MatMul", [x, g.node("Transpose", [table], "lm_head.weight_t", perm=[1, 0])], name)


WeightFormat = FloatFormat | NBitsFormat | FoldedFormat
