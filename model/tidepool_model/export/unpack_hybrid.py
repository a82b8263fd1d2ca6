"""Reads a packaged hybrid back into a checkpoint that teaching goes on from: codes times scales, each matrix with its scales.

    python -m tidepool_model.export.unpack_hybrid ../public/models/lagoon CHECKPOINT

What a run leaves in the repository is what ships; unrounded weights are not kept. So a taught matrix comes back in the middle
of its cells, rounds to exactly the codes that ship, and straight-through training moves it from there. The embedding has
8-bit codes that belong to no grid: it comes back as their values.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnx.external_data_helper import ExternalDataInfo

from ..architecture.config import ConfigError
from ..architecture.hybrid_checkpoint import expected_shapes, write_hybrid
from ..architecture.hybrid_llama import HybridLlamaConfig
from .hybrid_codes import Matrix, products

GRAPH = "onnx/model_q4.onnx"
# Names of the graph's small tensors by their names in a block of the checkpoint.
BLOCK_FLOATS = {"input_layernorm.weight": "input_layernorm", "post_attention_layernorm.weight": "post_attention_layernorm"}
MIXER_FLOATS = {"conv_bias": "conv.bias", "dt_bias": "dt_bias", "z_bias": "z_bias", "norm_weight": "mixer_norm"}


def read_initializers(folder: Path) -> dict[str, np.ndarray]:
    """Every initializer of the 4-bit graph. ConfigError names a part that is missing or too short."""
    path = folder / GRAPH
    if not path.is_file():
        raise ConfigError(f"{path} is missing; name a folder that export/package_hybrid.py wrote")
    model = onnx.load(path, load_external_data=False)
    found: dict[str, np.ndarray] = {}
    parts: dict[str, np.ndarray] = {}
    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            found[tensor.name] = numpy_helper.to_array(tensor)
            continue
        place = ExternalDataInfo(tensor)
        part = path.parent / place.location
        if place.location not in parts:
            if not part.is_file():
                raise ConfigError(f"{part} is missing; copy all parts of the model")
            parts[place.location] = np.fromfile(part, np.uint8)
        data = parts[place.location][place.offset : place.offset + place.length]
        if len(data) != place.length:
            raise ConfigError(f"{part} ends before {tensor.name} does; it is cut short, copy it again")
        found[tensor.name] = data.view(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).reshape(tuple(tensor.dims))
    return found


def read_config(folder: Path) -> HybridLlamaConfig:
    """The sizes, from config.json of transformers.js."""
    path = folder / "config.json"
    try:
        raw = json.loads(path.read_text())
        return HybridLlamaConfig(
            pattern="".join("M" if kind == "mamba" else "*" for kind in raw["layer_types"]),
            chunk_size=raw["mamba_chunk_size"],
            **{name: raw[name] for name in HybridLlamaConfig.__dataclass_fields__ if name not in ("pattern", "chunk_size")},
        )
    except (OSError, json.JSONDecodeError, KeyError) as error:
        raise ConfigError(f"{path} is no config of a packaged hybrid ({error}); package it with export/package_hybrid.py") from error


def unpack(folder: Path) -> tuple[HybridLlamaConfig, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Sizes, float32 tensors by their names in HybridLlama, scales by matrix name."""
    config = read_config(folder)
    arrays = read_initializers(folder)
    shapes = expected_shapes(config)
    tensors: dict[str, np.ndarray] = {}
    scales: dict[str, np.ndarray] = {}
    table = Matrix(arrays["embeddings.codes"].reshape(config.vocab_size, -1, 32), arrays["embeddings.scales"], 8)
    tensors["embed_tokens.weight"] = table.dequantise()
    for name, sources in products(config.pattern).items():
        whole = Matrix(arrays[f"{name}.codes"], arrays[f"{name}.scales"], 4)
        cuts = np.cumsum([shapes[f"{source}.weight"][0] for source in sources])[:-1]
        for source, weight, scale in zip(sources, np.split(whole.dequantise(), cuts), np.split(whole.scales.astype(np.float32), cuts), strict=True):
            tensors[f"{source}.weight"], scales[f"{source}.weight"] = weight, scale
    for index, letter in enumerate(config.pattern):
        at = f"layers.{index}"
        for ours, theirs in BLOCK_FLOATS.items():
            tensors[f"{at}.{ours}"] = arrays[f"{at}.{theirs}"]
        if letter == "M":
            for ours, theirs in MIXER_FLOATS.items():
                tensors[f"{at}.mixer.{ours}"] = arrays[f"{at}.{theirs}"]
            tensors[f"{at}.mixer.conv_weight"] = arrays[f"{at}.conv.weight"][:, 0]
            tensors[f"{at}.mixer.A_log"] = np.log(-arrays[f"{at}.A"])
    tensors["norm.weight"] = arrays["norm"]
    wrong = [name for name, shape in shapes.items() if name not in tensors or tensors[name].shape != shape]
    if wrong:
        raise ConfigError(f"{folder / GRAPH} has no {wrong[0]} of shape {shapes[wrong[0]]}; config.json and the graph are of different models")
    as_tensors = lambda named: {name: torch.from_numpy(np.ascontiguousarray(value, np.float32)) for name, value in named.items()}
    return config, as_tensors(tensors), as_tensors(scales)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of public/models that package_hybrid wrote")
    parser.add_argument("checkpoint", type=Path)
    args = parser.parse_args()
    try:
        config, tensors, scales = unpack(args.folder)
    except ConfigError as error:
        print(f"unpack_hybrid: {error}", file=sys.stderr)
        return 1
    write_hybrid(args.checkpoint, config, tensors, scales, args.folder / "tokenizer.json")
    print(f"{sum(t.numel() for t in tensors.values()) / 1e6:.1f} M parameters, {len(scales)} matrices on their grid -> {args.checkpoint}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
