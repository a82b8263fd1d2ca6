"""Owns what manifest.json and config.json of a packaged model say: files, layers, states, golden values."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path

import numpy as np

from ..architecture.checkpoint_reader import Checkpoint
from ..architecture.config import ModelConfig

HALF_VARIANTS = {"q4f16"}
"""Variants whose conv state and KV cache are float16 (their SSM state stays float32)."""

ONNX_FILE = {"fp32": "model.onnx", "q4": "model_q4.onnx", "q4f16": "model_q4f16.onnx", "quantized": "model_quantized.onnx"}
"""File names by variant, as transformers.js derives them from its dtype (q8 -> quantized)."""


def transformers_js_config(checkpoint: Checkpoint) -> dict:
    """config.json as transformers.js 4.3.1 reads it: old layer names, and the variant that fits each device."""
    config = copy.deepcopy(checkpoint.config)
    for key in ("layer_types", "hybrid_override_pattern"):
        config.pop(key, None)
    config["model_type"] = "nemotron_h"
    config["architectures"] = ["NemotronHForCausalLM"]
    config["layers_block_type"] = list(checkpoint.shape.layer_types)
    config["num_hidden_layers"] = len(checkpoint.shape.layer_types)
    config["num_key_value_heads"] = checkpoint.shape.num_key_value_heads
    config["head_dim"] = checkpoint.shape.head_dim
    config["transformers.js_config"] = {
        "dtype": "q8",
        "device_config": {"webgpu": {"dtype": "q4"}, "wasm": {"dtype": "q8"}, "cpu": {"dtype": "q8"}},
        **config.get("transformers.js_config", {}),
    }
    return config


def state_table(shape: ModelConfig, variants: list[str]) -> dict:
    """Shapes and bytes of every layer's state for one sequence; KV bytes count one token."""

    def size(dims: list[int], half: bool) -> int:
        return int(np.prod(dims)) * (2 if half else 4)

    ssm = [1, shape.mamba_num_heads, shape.ssm_state_size, shape.mamba_head_dim]
    conv = [1, shape.conv_dim, shape.conv_kernel - 1]
    kv_token = [1, shape.num_key_value_heads, 1, shape.head_dim]
    layers = []
    for index, layer in enumerate(shape.layer_types):
        if layer == "mamba":
            entry = {
                "ssm": {"shape": ssm, "dtype": "float32", "bytes": size(ssm, half=False)},
                "conv": {"shape": conv, "bytes": {v: size(conv, v in HALF_VARIANTS) for v in variants}},
            }
        elif layer == "attention":
            entry = {"kvPerToken": {"shape": kv_token, "bytes": {v: 2 * size(kv_token, v in HALF_VARIANTS) for v in variants}}}
        else:
            continue
        layers.append({"index": index, "type": layer, **entry})
    mamba, attention = shape.layer_types.count("mamba"), shape.layer_types.count("attention")
    return {
        "layers": layers,
        "fixedBytes": {v: mamba * (size(ssm, half=False) + size(conv, v in HALF_VARIANTS)) for v in variants},
        "kvBytesPerToken": {v: attention * 2 * size(kv_token, v in HALF_VARIANTS) for v in variants},
    }


def file_entries(folder: Path) -> list[dict]:
    """Path, bytes and SHA-256 of every file below a folder, sorted by path."""
    entries = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        entries.append(
            {"path": path.relative_to(folder).as_posix(), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        )
    return entries


def golden_values(logits: np.ndarray, tolerance: float) -> dict:
    """The eight best ids of one logits row (vocab,) with their values and the allowed deviation of each value."""
    top = np.argsort(-logits, kind="stable")[:8]
    return {
        "top_ids": [int(i) for i in top],
        "top_logits": [round(float(logits[i]), 5) for i in top],
        "tolerance": round(float(tolerance), 4),
    }
