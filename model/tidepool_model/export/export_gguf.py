"""Owns the way from a packaged model to GGUF, llama.cpp's file, with exactly the weights that are shipped.

It reads `onnx/model_quantized.onnx` (int8 codes times scales, as ONNX Runtime computes with them), not a checkpoint, and
writes NAME-q8_0.gguf and NAME-q4_0.gguf: the benchmark's third engine runs them. Architecture `nemotron_h`; the
tensors' names and forms are those of llama.cpp's converter: A as -exp(A_log) in a column, the gated norm by groups.
Mixtures of experts are not written.

    python -m tidepool_model.export.export_gguf --model ../public/models/tidepool --out FOLDER
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, quants

from ..architecture.checkpoint_reader import CheckpointError
from .packaged_weights import FILE, PackagedWeights

ARCHITECTURE = "nemotron_h"
TYPES = {
    "q8_0": (GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "q4_0": (GGMLQuantizationType.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0),
}
BLOCK = 32  # values of a row that share a scale in both types


class GgufError(ValueError):
    """A model folder that can't be written as GGUF; the message names what is missing."""


def tensors(config: dict, weights: PackagedWeights) -> dict[str, np.ndarray]:
    """All tensors by llama.cpp's name, float32, in numpy's order of dimensions (the reverse of GGUF's)."""
    named = {"token_embd.weight": weights.embedding(), "output_norm.weight": weights.tensor("norm_f.weight")}
    if not config["tie_word_embeddings"]:
        named["output.weight"] = weights.tensor("lm_head.codes") * weights.tensor("lm_head.scales")
    q_size = config["num_attention_heads"] * config["head_dim"]
    kv_size = config["num_key_value_heads"] * config["head_dim"]
    for index, kind in enumerate(config["layers_block_type"]):
        at, to = f"layers.{index}", f"blk.{index}"
        named[f"{to}.attn_norm.weight"] = weights.tensor(f"{at}.norm.weight")
        if kind == "mamba":
            heads, groups = config["mamba_num_heads"], config["n_groups"]
            named[f"{to}.ssm_in.weight"] = weights.rows(f"{at}.in_proj")
            named[f"{to}.ssm_conv1d.weight"] = weights.tensor(f"{at}.conv.weight")[:, 0, :]  # (conv_dim, kernel)
            named[f"{to}.ssm_conv1d.bias"] = weights.tensor(f"{at}.conv.bias")
            named[f"{to}.ssm_dt.bias"] = weights.tensor(f"{at}.dt_bias")
            named[f"{to}.ssm_a"] = weights.tensor(f"{at}.A").reshape(heads, 1)
            # The graph repeats D over the channels of a head.
            named[f"{to}.ssm_d"] = weights.tensor(f"{at}.D").reshape(heads, -1)[:, :1]
            named[f"{to}.ssm_norm.weight"] = weights.tensor(f"{at}.mixer_norm.weight").reshape(groups, -1)
            named[f"{to}.ssm_out.weight"] = weights.rows(f"{at}.out_proj")
        elif kind == "attention":
            q, k, v = np.split(weights.rows(f"{at}.qkv_proj"), [q_size, q_size + kv_size])
            named[f"{to}.attn_q.weight"], named[f"{to}.attn_k.weight"], named[f"{to}.attn_v.weight"] = q, k, v
            named[f"{to}.attn_output.weight"] = weights.rows(f"{at}.o_proj")
        elif kind == "mlp":
            named[f"{to}.ffn_up.weight"] = weights.rows(f"{at}.up_proj")
            named[f"{to}.ffn_down.weight"] = weights.rows(f"{at}.down_proj")
        else:
            raise GgufError(f"layer {index} is '{kind}'; only mamba, attention and mlp are written as GGUF")
    return {name: np.ascontiguousarray(value, np.float32) for name, value in named.items()}


def add_sizes(writer: GGUFWriter, config: dict) -> None:
    """The metadata that llama.cpp builds its graph from; lists give each layer its own value."""
    kinds = config["layers_block_type"]

    def where(kind: str, value: int) -> list[int]:
        return [value if k == kind else 0 for k in kinds]

    writer.add_block_count(len(kinds))
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_feed_forward_length(where("mlp", config["intermediate_size"]))
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(where("attention", config["num_key_value_heads"]))
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["layer_norm_epsilon"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])  # llama.cpp of wllama 3.8.1 asks for both
    writer.add_ssm_conv_kernel(config["conv_kernel"])
    writer.add_ssm_inner_size(config["mamba_num_heads"] * config["mamba_head_dim"])
    writer.add_ssm_state_size(config["ssm_state_size"])
    writer.add_ssm_time_step_rank(config["mamba_num_heads"])
    writer.add_ssm_group_count(config["n_groups"])


def add_tokenizer(writer: GGUFWriter, folder: Path, config: dict) -> None:
    """The byte-level BPE vocabulary.

    Of llama.cpp's splitting rules "smollm" is the nearest: single digits, then GPT-2's. It differs from ours where
    several white spaces follow each other.
    """
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    pieces = {index: piece for piece, index in tokenizer["model"]["vocab"].items()}
    added = {entry["id"]: entry for entry in tokenizer["added_tokens"]}
    tokens, types = [], []
    for index in range(config["vocab_size"]):
        if index in added:
            tokens.append(added[index]["content"])
            special = added[index]["special"]
            types.append(gguf.TokenType.CONTROL if special else gguf.TokenType.USER_DEFINED)
        else:
            tokens.append(pieces.get(index, f"[PAD{index}]"))
            types.append(gguf.TokenType.NORMAL if index in pieces else gguf.TokenType.UNUSED)
    merges = [" ".join(merge) if isinstance(merge, list) else merge for merge in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_add_bos_token(False)


def write_gguf(folder: Path, out: Path, kind: str) -> None:
    """Writes one file: matrices in `kind` where their rows are whole blocks, everything small in float32."""
    config = json.loads((folder / "config.json").read_text())
    quantised, file_type = TYPES[kind]
    writer = GGUFWriter(out, ARCHITECTURE)
    writer.add_name(folder.name)
    writer.add_file_type(file_type)
    add_sizes(writer, config)
    add_tokenizer(writer, folder, config)
    kept_exact = ("ssm_conv1d", "ssm_a", "ssm_d", "ssm_norm")
    for name, value in tensors(config, PackagedWeights(folder / FILE)).items():
        exact = value.ndim < 2 or value.shape[-1] % BLOCK or name.split(".")[-2] in kept_exact or name.endswith(kept_exact)
        if exact:
            writer.add_tensor(name, value)
        else:
            writer.add_tensor(name, quants.quantize(value, quantised), raw_dtype=quantised)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path, help="a packaged model folder")
    parser.add_argument("--out", required=True, type=Path, help="folder for NAME-TYPE.gguf")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        for kind in TYPES:
            path = options.out / f"{options.model.name}-{kind}.gguf"
            write_gguf(options.model, path, kind)
            print(f"{path}: {path.stat().st_size} bytes")
    except (GgufError, CheckpointError, OSError) as error:
        print(f"export_gguf: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
