"""Owns the ONNX graph of a module of multi-token prediction, and the one output that its parent's graphs need beside it.

The module reads `input_ids` (1, T), the token after each position, and `hidden_states` (1, T, hidden), what the parent (or
the module itself, one depth before) gave at that position. It gives `logits` and `next_hidden_states` of the last
`num_logits_to_keep` positions, and its own cache. Embedding and head are the parent's: their bytes are external data that
lie inside the parent's .onnx file, so the module alone is no model.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper

from ..architecture.checkpoint_reader import Checkpoint, CheckpointError
from ..architecture.config import ModelConfig
from .export_onnx import INT64_MAX, Exporter
from .onnx_graph import FloatFormat, WeightFormat

PREFIX = "mtp.layers"
SHARED = ("embeddings.codes", "embeddings.scales", "embeddings.weight", "lm_head.codes", "lm_head.scales", "lm_head.weight")


def with_hidden_states(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with one more output: `hidden_states` (batch, seq, hidden), float32, after the final norm."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    made = next((node for node in graph.node if "final_normed" in node.output), None)
    if made is None:
        raise CheckpointError(f"graph '{graph.name}' has no value final_normed; it was not written by this recipe")
    weight = next(i for i in graph.initializer if i.name == "norm_f.weight")
    op, options = ("Cast", {"to": TensorProto.FLOAT}) if weight.data_type == TensorProto.FLOAT16 else ("Identity", {})
    graph.node.append(helper.make_node(op, ["final_normed"], ["hidden_states"], name="/hidden_states", **options))
    shape = ["batch_size", "sequence_length", weight.dims[0]]
    graph.output.append(helper.make_tensor_value_info("hidden_states", TensorProto.FLOAT, shape))
    return changed


def module_checkpoint(parent: Checkpoint, pattern: str, tensors: Mapping[str, np.ndarray]) -> Checkpoint:
    """The module's layers as a checkpoint of their own, with the parent's embedding and head."""
    own = {}
    for name, tensor in tensors.items():
        own[name.replace(PREFIX, "model.layers", 1)] = tensor
    for name in ("model.embeddings.weight", "lm_head.weight"):
        if (table := parent.optional(name)) is not None:
            own[name] = table
    fields = {key: getattr(parent.shape, key) for key in ModelConfig.__dataclass_fields__}
    shape = ModelConfig(**{**fields, "pattern": pattern, "num_nextn_predict_layers": 0, "mtp_hybrid_override_pattern": ""})
    return Checkpoint(parent.path, parent.config, shape, own)


class _ModuleExporter(Exporter):
    def norm(self, x: str, out: str, key: str) -> str:
        weight = self.constant(out + ".weight", self.checkpoint.tensor(key))
        return self.g.node("SimplifiedLayerNormalization", [x, weight], out, axis=-1, epsilon=self.shape.layer_norm_epsilon)

    def export(self) -> onnx.ModelProto:
        g, s, tensor = self.g, self.shape, self.checkpoint.tensor
        g.input("input_ids", TensorProto.INT64, ["batch_size", "sequence_length"])
        hidden = g.input("hidden_states", TensorProto.FLOAT, ["batch_size", "sequence_length", s.hidden_size])
        g.input("attention_mask", TensorProto.INT64, ["batch_size", "total_sequence_length"])
        g.input("num_logits_to_keep", TensorProto.INT64, [])
        g.output("logits", TensorProto.FLOAT, ["batch_size", "logits_length", s.vocab_size])
        g.output("next_hidden_states", TensorProto.FLOAT, ["batch_size", "logits_length", s.hidden_size])
        if "attention" in s.layer_types:
            if self.weights.fused_attention:
                self.sequence_lengths()
            else:
                self.causal_mask()
        table = tensor("model.embeddings.weight")
        embedded = self.weights.embedding(g, "input_ids", "embedded", table)
        first, last = "model.layers.0", f"model.layers.{len(s.layer_types) - 1}"
        joined = g.node(
            "Concat",
            [self.norm(embedded, "enorm", f"{first}.enorm.weight"), self.norm(hidden, "hnorm", f"{first}.hnorm.weight")],
            "joined", axis=-1,
        )  # fmt: skip
        x = self.linear(joined, "eh_proj", f"{first}.eh_proj")
        for index, layer in enumerate(s.layer_types):
            normed = self.norm(x, f"layers.{index}.normed", f"model.layers.{index}.norm.weight")
            if layer == "attention":
                y = self.attention(normed, index)
            elif layer == "mlp":
                y = self.mlp(normed, f"layers.{index}", f"model.layers.{index}.mixer")
            else:
                raise CheckpointError(f"mtp_hybrid_override_pattern: layer {index} is '{layer}'; attention and mlp are exported")
            x = g.node("Add", [x, y], f"layers.{index}.residual")
        start = g.node("Unsqueeze", [g.node("Neg", ["num_logits_to_keep"], "first_kept"), self.ints("axis_0", 0)], "first_kept_1d")
        kept = g.node("Slice", [x, start, self.ints("slice_end", INT64_MAX), self.ints("axis_1", 1)], "kept")
        final = self.norm(kept, "next_hidden_states", f"{last}.final_layernorm.weight")
        self.weights.head(g, final, "logits", table if s.tie_word_embeddings else tensor("lm_head.weight"), s.tie_word_embeddings)
        return g.model("tidepool-mtp", {"pattern": s.pattern, "variant": self.weights.variant})


def export_module(checkpoint: Checkpoint, weights: WeightFormat | None = None) -> onnx.ModelProto:
    """The module's graph, with the tables inside; `checkpoint` as `module_checkpoint` makes it."""
    return _ModuleExporter(checkpoint, weights or FloatFormat()).export()


def share_tables(module: onnx.ModelProto, parent: bytes, file: str) -> onnx.ModelProto:
    """The module with its tables as external data inside `file`, the parent's .onnx, whose bytes are `parent`."""
    theirs = {i.name: i for i in onnx.load_from_string(parent).graph.initializer}
    for tensor in module.graph.initializer:
        if tensor.name not in SHARED:
            continue
        found = theirs.get(tensor.name)
        if found is None or list(found.dims) != list(tensor.dims) or found.data_type != tensor.data_type:
            raise CheckpointError(
                f"{file}: {tensor.name} is {'absent' if found is None else list(found.dims)}, the module reads {list(tensor.dims)}; "
                "a module fits only the backbone that it was trained on"
            )
        offset = parent.find(found.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", file), ("offset", str(offset)), ("length", str(len(found.raw_data)))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
    return module
