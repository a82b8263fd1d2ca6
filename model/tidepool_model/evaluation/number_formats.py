"""Measures what the weights' number format costs: bytes, perplexity and logits of the shipped model in each format.

    python -m tidepool_model.evaluation.number_formats --model ../public/models/tidepool

The reference is the shipped int8 file, whose weights times scales are computed with in float32: the float32 checkpoint
that it was rounded from is not in the repository (manifest.json has how far the two were apart). int4 is the shipped
GPTQ file (Mamba's out_proj in 8 bits), with its activations rounded to int8 as on WebGPU. Text: the held-out fixtures of
the evaluation, as scripts/eval reads them. Owns no accuracy on problems: npm run eval has it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from ..architecture.checkpoint_reader import Checkpoint, CheckpointError
from ..export.calibration import Tokens, perplexity
from ..export.export_onnx import export_model
from ..export.nvfp4 import pack_matrix
from ..export.nvfp4_package import PlainFloatFormat, is_linear
from ..export.onnx_runner import OnnxRunner
from ..export.packaged_weights import FILE, packaged_checkpoint

TEXT = Path(__file__).resolve().parents[3] / "tests" / "fixtures" / "eval" / "held-out-text.json"
LONGEST = 1024  # tokens of a piece, as in scripts/eval


def read_pieces(tokenizer: Path, text: Path) -> list[Tokens]:
    """The held-out documents as tokens, each piece encoded by itself as in training."""
    encoder = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    documents = []
    for document in json.loads(text.read_text(encoding="utf-8")):
        ids: list[int] = []
        counts: list[bool] = []
        for piece in document["pieces"]:
            found = encoder.encode(piece["text"], add_special_tokens=False).ids
            ids += found
            counts += [piece["scored"]] * len(found)
        documents.append(Tokens(np.array(ids[:LONGEST], np.int64), np.array(counts[:LONGEST])))
    return documents


def in_nvfp4(checkpoint: Checkpoint, four_over_six: bool) -> Checkpoint:
    """The linear layers rounded to NVFP4, embedding and head to bfloat16, as nvfp4_package writes them."""

    def rounded(name: str, tensor: np.ndarray) -> np.ndarray:
        if is_linear(name):
            return pack_matrix(tensor, four_over_six).dequantise()
        if name.endswith(("embeddings.weight", "lm_head.weight")):
            bits = tensor.view(np.uint32).astype(np.uint64)
            return (((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) << 16).astype(np.uint32).view(np.float32)
        return tensor

    return replace(checkpoint, tensors={name: rounded(name, tensor) for name, tensor in checkpoint.tensors.items()})


def compare(runner: OnnxRunner, reference: OnnxRunner, pieces: list[Tokens]) -> dict[str, float]:
    """Mean KL to the reference in nats, share of equal best tokens, root mean square difference of centred logits."""
    divergence, same, squares, tokens, values = 0.0, 0, 0.0, 0, 0
    for piece in pieces:
        for one in (runner, reference):
            one.reset()
        q, p = (one.feed(piece.ids).astype(np.float64) for one in (runner, reference))  # (tokens, vocab)
        q, p = q - q.mean(-1, keepdims=True), p - p.mean(-1, keepdims=True)
        log_q, log_p = (x - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)) - x.max(-1, keepdims=True) for x in (q, p))
        divergence += float((np.exp(log_p) * (log_p - log_q)).sum())
        same += int((q.argmax(-1) == p.argmax(-1)).sum())
        squares += float(((q - p) ** 2).sum())
        tokens += len(piece.ids)
        values += q.size
    return {"kl": divergence / tokens, "top1": same / tokens, "logitRms": (squares / values) ** 0.5}


def relative_error(checkpoint: Checkpoint, rounded: Checkpoint) -> float:
    """Norm of what rounding changed in all linear layers, over their norm."""
    names = [name for name in checkpoint.tensors if is_linear(name)]
    changed = sum(float(((rounded.tensors[n] - checkpoint.tensors[n]).astype(np.float64) ** 2).sum()) for n in names)
    whole = sum(float((checkpoint.tensors[n].astype(np.float64) ** 2).sum()) for n in names)
    return (changed / whole) ** 0.5


def measure(model: Path, text: Path = TEXT) -> dict[str, dict[str, float]]:
    """Each format's figures by its name."""
    shipped = packaged_checkpoint(model)
    pieces = read_pieces(model, text)
    reference = OnnxRunner(export_model(shipped, PlainFloatFormat()).SerializeToString())
    found: dict[str, dict[str, float]] = {"int8": {"bytes": (model / FILE).stat().st_size, "perplexity": perplexity(reference, pieces)}}
    four_bits = model / "onnx" / "model_q4.onnx"
    runner = OnnxRunner(four_bits)
    found["int4 (GPTQ)"] = {"bytes": four_bits.stat().st_size, "perplexity": perplexity(runner, pieces), **compare(runner, reference, pieces)}
    for name, choice in (("NVFP4", False), ("NVFP4, four over six", True)):
        rounded = in_nvfp4(shipped, choice)
        runner = OnnxRunner(export_model(rounded, PlainFloatFormat()).SerializeToString())
        found[name] = {"perplexity": perplexity(runner, pieces), **compare(runner, reference, pieces), "weightError": relative_error(shipped, rounded)}
    return found


def main() -> int:
    """Command line: one JSON line a format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path, help="a packaged model folder")
    options = parser.parse_args()
    try:
        for name, figures in measure(options.model).items():
            print(name, json.dumps({key: round(value, 5) for key, value in figures.items()}))
    except (CheckpointError, OSError) as error:
        print(f"number_formats: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
