"""Owns reading the weights back out of a packaged `model_quantized.onnx`: int8 codes times scales, as the runtime computes.

The float32 checkpoint of the shipped model is not in the repository; this is what is shipped, as float32.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from ..architecture.checkpoint_reader import Checkpoint, CheckpointError, parse_shape

FILE = "onnx/model_quantized.onnx"


class PackagedWeights:
    """The matrices of a packaged ONNX file as float32, by their names in the graph."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arrays = {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer}

    def tensor(self, name: str) -> np.ndarray:
        """A float32 initializer."""
        if name not in self.arrays:
            raise CheckpointError(f"{self.path}: no initializer '{name}' ({len(self.arrays)} present); package the model anew")
        return self.arrays[name].astype(np.float32)

    def rows(self, name: str) -> np.ndarray:
        """A linear layer's weight (out, in): codes times scales, or float32 where it was left so."""
        if name + ".codes" in self.arrays:
            return (self.tensor(name + ".codes") * self.tensor(name + ".scales")).T
        return self.tensor(name + ".weight_t").T

    def embedding(self) -> np.ndarray:
        """(vocab, hidden)"""
        return self.tensor("embeddings.codes") * self.tensor("embeddings.scales")


def packaged_checkpoint(folder: Path) -> Checkpoint:
    """The shipped weights under their names in a checkpoint. No mixtures of experts."""
    config_path = folder / "config.json"
    if not (folder / FILE).is_file() or not config_path.is_file():
        raise CheckpointError(f"{folder}: no {FILE} with a config.json beside it; package a model there first")
    config = json.loads(config_path.read_text())
    shape = parse_shape(config, str(config_path))
    weights = PackagedWeights(folder / FILE)
    named = {"model.embeddings.weight": weights.embedding(), "model.norm_f.weight": weights.tensor("norm_f.weight")}
    if not shape.tie_word_embeddings:
        named["lm_head.weight"] = weights.tensor("lm_head.codes") * weights.tensor("lm_head.scales")
    query, key = shape.num_attention_heads * shape.head_dim, shape.num_key_value_heads * shape.head_dim
    for index, kind in enumerate(shape.layer_types):
        at, to = f"layers.{index}", f"model.layers.{index}"
        named[f"{to}.norm.weight"] = weights.tensor(f"{at}.norm.weight")
        if kind == "mamba":
            named[f"{to}.mixer.in_proj.weight"] = weights.rows(f"{at}.in_proj")
            named[f"{to}.mixer.out_proj.weight"] = weights.rows(f"{at}.out_proj")
            named[f"{to}.mixer.conv1d.weight"] = weights.tensor(f"{at}.conv.weight")
            if f"{at}.conv.bias" in weights.arrays:
                named[f"{to}.mixer.conv1d.bias"] = weights.tensor(f"{at}.conv.bias")
            named[f"{to}.mixer.dt_bias"] = weights.tensor(f"{at}.dt_bias")
            named[f"{to}.mixer.A_log"] = np.log(-weights.tensor(f"{at}.A"))
            # The graph repeats D over the channels of a head.
            named[f"{to}.mixer.D"] = weights.tensor(f"{at}.D").reshape(shape.mamba_num_heads, -1)[:, 0]
            named[f"{to}.mixer.norm.weight"] = weights.tensor(f"{at}.mixer_norm.weight")
        elif kind == "attention":
            parts = np.split(weights.rows(f"{at}.qkv_proj"), [query, query + key])
            for part, rows in zip("qkv", parts, strict=True):
                named[f"{to}.mixer.{part}_proj.weight"] = rows
            named[f"{to}.mixer.o_proj.weight"] = weights.rows(f"{at}.o_proj")
        elif kind == "mlp":
            for part in ("up_proj", "down_proj"):
                named[f"{to}.mixer.{part}.weight"] = weights.rows(f"{at}.{part}")
        else:
            raise CheckpointError(f"{config_path}: layer {index} is '{kind}'; mixtures of experts are not read back")
    return Checkpoint(folder, config, shape, {name: np.ascontiguousarray(value) for name, value in named.items()})
