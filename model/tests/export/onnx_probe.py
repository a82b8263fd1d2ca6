"""The inner values of an exported graph that the state lab reads, opened as outputs by bytes appended to the model.

A protobuf message that names a sub-message twice merges the two. So `model.onnx` followed by a ModelProto that holds
nothing but a graph with more outputs is the same model with more outputs: no second copy of the weights, and the same
session serves decoding (which does not fetch them) and the state lab (which does).
"""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from tidepool_model.architecture.config import ModelConfig

PROBED = {
    "dt": "step size Δ after softplus, float32 (batch, seq, heads)",
    "decay": "A·Δ, the logarithm of the decay, float32 (batch, seq, heads)",
    "B": "input projection of the state, float32 (batch, seq, groups * state)",
    "C": "output projection of the state, float32 (batch, seq, groups * state)",
    "qkv_proj": "queries, keys and values of the new tokens in this order, (batch, seq, (heads + 2 kv_heads) * head_dim)",
}
"""Inner values by the last part of their name `layers.N.*`."""


def probe_outputs(shape: ModelConfig, half: bool) -> list[onnx.ValueInfoProto]:
    """The value descriptions of all probed values of a model."""
    time = ["batch_size", "sequence_length"]
    state = shape.n_groups * shape.ssm_state_size
    outputs = []
    for index, layer in enumerate(shape.layer_types):
        if layer == "mamba":
            widths = {"dt": shape.mamba_num_heads, "decay": shape.mamba_num_heads, "B": state, "C": state}
            kind = TensorProto.FLOAT
        elif layer == "attention":
            widths = {"qkv_proj": (shape.num_attention_heads + 2 * shape.num_key_value_heads) * shape.head_dim}
            kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        else:
            continue
        outputs += [helper.make_tensor_value_info(f"layers.{index}.{n}", kind, [*time, w]) for n, w in widths.items()]
    return outputs


def probe_suffix(outputs: list[onnx.ValueInfoProto]) -> bytes:
    """The bytes to append to a model file so that it has these outputs too."""
    suffix = onnx.ModelProto()
    suffix.graph.output.extend(outputs)
    return suffix.SerializeToString()
