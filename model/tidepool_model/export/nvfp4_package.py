"""Owns the model folder whose weights are an NVFP4 checkpoint: the file in modelopt's layout, and graphs without weights.

    python -m tidepool_model.export.nvfp4_package --model ../public/models/tidepool --out ../public/models/tidepool-nvfp4

No runtime of the browser reads NVFP4, so the app (src/core/nvfp4/) turns the one file of weights, without rounding, into
what a graph's external data asks for: `onnx/model_q4.onnx` (WebGPU) MatMulNBits of 8 bits in blocks of 16,
`onnx/model_quantized.onnx` (WASM) float32. Linear layers are packed; embedding and head are bfloat16, the small tensors
float32, as in the published Nemotron 3 checkpoints. The weights come from the shipped int8 file: the float32 checkpoint
is not in the repository.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from ..architecture.checkpoint_reader import Checkpoint, CheckpointError
from .export_onnx import export_model
from .manifest import ONNX_FILE, file_entries, golden_values, state_table, transformers_js_config
from .nvfp4 import PackedMatrix, pack_matrix
from .nvfp4_files import (
    WEIGHTS,
    Layout,
    PackedCheckpoint,
    load_packed,
    packed_fields,
    quantization_config,
    raw_float,
    write_safetensors,
)
from .onnx_graph import FloatFormat, Graph, NBitsFormat
from .onnx_runner import OnnxRunner
from .package import TOKENIZER_FILES, checkpoint_digest, check_parity, golden_ids
from .packaged_weights import packaged_checkpoint
from .quantise import BlockQuantised

LINEAR = ("in_proj", "out_proj", "q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj")
QKV = ("q_proj", "k_proj", "v_proj")  # in the order of the rows of the graph's one matrix
EXTERNAL = (".weight_t", ".weight_codes", ".weight_scales", "embeddings.weight", "lm_head.weight")
"""Ends of the names of initializers that the app fills from the NVFP4 file."""
LOCATION = "nvfp4-weights"
"""Name of the external data in the graphs: made at load, in no file."""


class PlainFloatFormat(FloatFormat):
    """float32 for WASM, where attention in plain products is three times as fast as the fused operator."""

    variant = "quantized"
    fused_attention = False


@dataclass
class EightBitFormat(NBitsFormat):
    """NVFP4 as MatMulNBits reads it, with embedding and head in float32."""

    bits = 8
    block_size: int = 16
    accuracy_level: int = 0  # float32 activations: the weights are exact, and nothing else is to be rounded

    def embedding(self, g: Graph, ids: str, name: str, weight: np.ndarray) -> str:
        return FloatFormat().embedding(g, ids, name, weight)

    def head(self, g: Graph, x: str, name: str, weight: np.ndarray, tied: bool) -> str:
        return FloatFormat().head(g, x, name, weight, tied)


def is_linear(name: str) -> bool:
    """Whether a tensor of a checkpoint is a linear layer's matrix."""
    return name.endswith(tuple(f"mixer.{part}.weight" for part in LINEAR))


def pack_checkpoint(checkpoint: Checkpoint, four_over_six: bool) -> dict[str, PackedMatrix]:
    """Every linear layer in NVFP4, by its name without `.weight`."""
    return {n.removesuffix(".weight"): pack_matrix(t, four_over_six) for n, t in checkpoint.tensors.items() if is_linear(n)}


def graph_codes(matrices: dict[str, PackedMatrix]) -> dict[str, BlockQuantised]:
    """The packed matrices by their names in the graph, which multiplies by queries, keys and values at once."""
    found: dict[str, dict[str, BlockQuantised]] = {}
    for name, matrix in matrices.items():
        _, index, part = name.removeprefix("backbone.").removeprefix("model.").split(".", 2)
        part = part.removeprefix("mixer.")
        graph_name = f"layers.{index}.{'qkv_proj' if part in QKV else part}"
        found.setdefault(graph_name, {})[part] = matrix.eight_bits()
    ordered = {name: [parts[p] for p in (QKV if name.endswith("qkv_proj") else parts)] for name, parts in found.items()}
    return {
        name: BlockQuantised(np.concatenate([p.codes for p in parts]), np.concatenate([p.scales for p in parts]), 8)
        for name, parts in ordered.items()
    }


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with the matrices taken out: their places in the external data stay."""
    stripped = onnx.ModelProto()
    stripped.CopyFrom(model)
    at = 0
    for tensor in stripped.graph.initializer:
        if not tensor.name.endswith(EXTERNAL):
            continue
        length = len(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", LOCATION), ("offset", at), ("length", length)):
            tensor.external_data.add(key=key, value=str(value))
        at += -(-length // 64) * 64
    return stripped


def write_weights(folder: Path, checkpoint: Checkpoint, matrices: dict[str, PackedMatrix], layout: Layout) -> None:
    """model.safetensors in a layout: packed matrices, bfloat16 for embedding and head, float32 for the rest."""
    raw = {}
    for name, tensor in checkpoint.tensors.items():
        published = name.replace("model.", "backbone.", 1) if name.startswith("model.") else name
        if is_linear(name):
            raw |= packed_fields(published.removesuffix(".weight"), matrices[name.removesuffix(".weight")], layout)
        else:
            raw[published] = raw_float(tensor, "BF16" if name.endswith(("embeddings.weight", "lm_head.weight")) else "F32")
    write_safetensors(folder / WEIGHTS, raw)


def write_configs(model: Path, folder: Path, checkpoint: Checkpoint, layout: Layout) -> None:
    """config.json with what is packed and how, modelopt's second file of the same, and the tokenizer."""
    config = transformers_js_config(checkpoint)
    ignored = ["lm_head", "backbone.embeddings"]
    config["quantization_config"] = quantization_config(layout, ignored)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if layout == "modelopt":
        quantization = {"quant_algo": "NVFP4", "group_size": 16, "kv_cache_quant_algo": None, "exclude_modules": ignored}
        (folder / "hf_quant_config.json").write_text(json.dumps({"producer": {"name": "tidepool_model"}, "quantization": quantization}, indent=2) + "\n")
    for name in ("generation_config.json", *TOKENIZER_FILES):
        if (model / name).is_file():
            shutil.copyfile(model / name, folder / name)


def package_nvfp4(model: Path, out: Path, four_over_six: bool = False) -> dict:
    """Writes the folder beside a packaged model's and swaps it in once its graphs agree; returns the manifest."""
    shipped = packaged_checkpoint(model)
    folder = out.parent / f".{out.name}.new"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "onnx").mkdir(parents=True)
    write_configs(model, folder, shipped, "modelopt")
    write_weights(folder, shipped, pack_checkpoint(shipped, four_over_six), "modelopt")
    manifest = describe(folder, load_packed(folder), out.name, model, four_over_six)  # from the file, as the app reads it
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    (folder / "README.md").write_text(card(manifest))
    shutil.rmtree(out, ignore_errors=True)
    folder.rename(out)
    return manifest


def describe(folder: Path, packed: PackedCheckpoint, name: str, model: Path, four_over_six: bool) -> dict:
    """Writes both graphs, holds them to the NumPy reference and to each other, and says what is there."""
    checkpoint = packed.checkpoint()
    prompt = golden_ids(folder, checkpoint.shape.vocab_size)
    formats = {"q4": EightBitFormat(codes_of=graph_codes(packed.matrices)), "quantized": PlainFloatFormat()}
    golden: dict = {"input_ids": [int(i) for i in prompt]}
    parity = 0.0
    for variant, weights in formats.items():
        graph = export_model(checkpoint, weights)
        runner = OnnxRunner(graph.SerializeToString())
        parity = max(parity, check_parity(runner, checkpoint, np.array(prompt)))
        runner.reset()
        last = runner.feed(prompt, keep=1)[0]
        golden[variant] = golden_values(last, (5e-3 if variant == "q4" else 1e-3) * float(np.abs(last).max()))
        onnx.save(without_weights(graph), folder / "onnx" / ONNX_FILE[variant])
    source = json.loads((model / "manifest.json").read_text())
    return {
        "name": name,
        "files": file_entries(folder),
        "parameters": checkpoint.parameter_count,
        "pattern": checkpoint.shape.pattern,
        "layers": [{"index": i, "type": t} for i, t in enumerate(checkpoint.shape.layer_types)],
        "variants": {variant: f"onnx/{ONNX_FILE[variant]}" for variant in formats},
        "parts": [WEIGHTS],  # what both graphs' external data is made of
        "states": state_table(checkpoint.shape, list(formats)),
        "provenance": {
            "packedFrom": f"{source['name']}/{source['variants']['quantized']}",
            "packedFromSha256": hashlib.sha256((model / source["variants"]["quantized"]).read_bytes()).hexdigest(),
            "command": f"python -m tidepool_model.export.nvfp4_package --model {model.name} --out {name}" + (" --four-over-six" if four_over_six else ""),
            "scaling": "four over six" if four_over_six else "plain",
        },
        "checkpointSha256": checkpoint_digest(checkpoint.tensors),
        "checks": {"parityMaxAbs": parity},
        "golden": golden,
    }


def card(manifest: dict) -> str:
    """README.md of the folder: what it is, how it was made, whose it is."""
    made = manifest["provenance"]
    return f"""---
license: apache-2.0
base_model: tidepool
---

# {manifest["name"]}

The model of `../{made["packedFrom"]}` ({manifest["parameters"] / 1e6:.2f} M parameters, pattern `{manifest["pattern"]}`) with its linear
layers in NVFP4 ({made["scaling"]}): 4-bit floats (E2M1) in blocks of 16, a scale of 8 bits (E4M3) a block, one float32 a matrix.
`{WEIGHTS}` is in the layout of modelopt; embedding and head are bfloat16. The graphs in `onnx/` hold no weights: no runtime
of the browser reads the format, so the app unpacks each matrix, without rounding, into what they ask for. What it was
trained on and its licences: the card of the model that it was packed from.

    {made["command"]}

Measured figures: `model/LOG.md`, 2026-11-28.
"""


def main() -> int:
    """Command line; 1 with a sentence where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path, help="a packaged model folder")
    parser.add_argument("--out", required=True, type=Path, help="the folder to write")
    parser.add_argument("--four-over-six", action="store_true", help="each block's largest value becomes 6 or 4, whichever errs less")
    options = parser.parse_args()
    try:
        manifest = package_nvfp4(options.model, options.out, options.four_over_six)
    except (CheckpointError, OSError, ValueError) as error:
        print(f"nvfp4_package: {error}", file=sys.stderr)
        return 1
    print(f"{options.out}: {sum(file['bytes'] for file in manifest['files']):,} bytes, weights {(options.out / WEIGHTS).stat().st_size:,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
