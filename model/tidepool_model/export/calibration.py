"""Owns what calibration text tells about a model: the second moments of every matrix's input, and perplexity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..architecture.checkpoint_reader import Checkpoint
from .export_onnx import export_model
from .onnx_graph import FloatFormat
from .onnx_runner import OnnxRunner
from .quantise import BlockQuantised, quantise_gptq

WINDOW = 256  # tokens a calibration sequence


@dataclass(frozen=True)
class Tokens:
    """A stretch of tokens and which of them count."""

    ids: np.ndarray  # (tokens,) int64
    counts: np.ndarray  # (tokens,) bool: the model was trained to predict this token (False in a user's turn)


def _read(path: Path, tokenizer: Path | None) -> Tokens:
    """A whole file: packed tokens of data/build.py (.tokens.bin with .mask.bin beside it), a .npy of ids, or text."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file of calibration or held-out tokens")
    counts = None
    if path.suffix == ".bin":
        ids = np.fromfile(path, np.uint16)
        mask = _beside(path, "mask")
        if mask.is_file():
            counts = np.fromfile(mask, np.uint8).astype(bool)
    elif path.suffix == ".npy":
        ids = np.load(path).reshape(-1)
    elif tokenizer is None:
        raise ValueError(f"{path}: a text file needs --tokenizer to become token ids (or pass .bin or .npy ids)")
    else:
        from tokenizers import Tokenizer

        encoder = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
        ids = np.array(encoder.encode(path.read_text(encoding="utf-8"), add_special_tokens=False).ids)
    return Tokens(ids.astype(np.int64), np.ones(len(ids), bool) if counts is None else counts)


def _beside(path: Path, kind: str) -> Path:
    """`stage.mask.bin` or `stage.docs.bin` of a `stage.tokens.bin`."""
    return path.with_name(path.name.removesuffix(".tokens.bin") + f".{kind}.bin")


def read_windows(path: Path, tokenizer: Path | None, limit: int) -> list[Tokens]:
    """At most `limit` tokens of a file, in windows of WINDOW tokens spread evenly over it."""
    whole = _read(path, tokenizer)
    windows = max(1, min(limit, len(whole.ids)) // WINDOW)
    starts = np.linspace(0, max(0, len(whole.ids) - WINDOW), windows).astype(int)
    return [Tokens(whole.ids[at : at + WINDOW], whole.counts[at : at + WINDOW]) for at in starts]


def read_conversations(path: Path, tokenizer: Path | None, limit: int) -> list[Tokens]:
    """Whole conversations of packed tokens, about `limit` tokens, spread evenly over the file.

    A conversation is a document with tokens that do not count (the user's). Plain text is passed over: a fine-tuned
    model is far from it, and its perplexity there would drown the replies'. A file without documents or without
    conversations gives windows.
    """
    docs = _beside(path, "docs")
    if not docs.is_file() or docs == path:
        return read_windows(path, tokenizer, limit)
    whole = _read(path, tokenizer)
    cuts = [*np.fromfile(docs, np.uint32).astype(int), len(whole.ids)]
    documents = [Tokens(whole.ids[a:b], whole.counts[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)]
    chats = [d for d in documents if not d.counts.all() and d.counts[1:].any()]
    if not chats:
        return read_windows(path, tokenizer, limit)
    wanted = max(1, min(len(chats), int(limit / np.mean([len(d.ids) for d in chats]))))
    return [chats[at] for at in np.linspace(0, len(chats) - 1, wanted).astype(int)]


def _inputs(model: onnx.ModelProto, ending: str) -> dict[str, str]:
    """Each product of a float32 graph with a weight of that name's ending, by its output's name, and the value it multiplies."""
    return {n.output[0]: n.input[0] for n in model.graph.node if n.op_type == "MatMul" and n.input[1].endswith(ending)}


def _moment(x: np.ndarray) -> np.ndarray:
    """Sum of x x^T over all but the last axis, (K, K)."""
    flat = x.reshape(-1, x.shape[-1])
    return (flat.T @ flat).astype(np.float64)


def _expert_moments(x: np.ndarray, gates: np.ndarray) -> np.ndarray:
    """Sums of x x^T (E, K, K) over the tokens of each expert: x (1, 1 or E, seq, K), gates (1, E, seq, 1), 0 where not chosen."""
    return np.stack([_moment(x[0, min(e, x.shape[1] - 1)][gates[0, e, :, 0] > 0]) for e in range(gates.shape[1])])


def second_moments(checkpoint: Checkpoint, windows: list[Tokens]) -> dict[str, np.ndarray]:
    """For every matrix of the graph, by its node's name: the mean of x x^T, (K, K), over the inputs it sees; experts' (E, K, K)."""
    model = export_model(checkpoint, FloatFormat())
    inputs, stacked = _inputs(model, ".weight_t"), _inputs(model, ".selected")
    gates = {name: name.rpartition(".")[0] + ".gates_column" for name in stacked}
    observed = sorted({*inputs.values(), *stacked.values(), *gates.values()})
    for source in observed:
        model.graph.output.append(helper.make_tensor_value_info(source, TensorProto.FLOAT, None))
    runner = OnnxRunner(model.SerializeToString(), threads=2)
    sums: dict[str, np.ndarray] = {}
    for window in windows:
        runner.reset()
        seen = runner.observe(window.ids, observed)
        found = {source: _moment(seen[source]) for source in set(inputs.values())}
        found |= {name: _expert_moments(seen[source], seen[gates[name]]) for name, source in stacked.items()}
        for name, moment in found.items():
            sums[name] = sums.get(name, 0.0) + moment
    count = sum(len(window.ids) for window in windows)
    return {name: sums[source] / count for name, source in inputs.items()} | {name: sums[name] / count for name in stacked}


def calibrated_codes(
    checkpoint: Checkpoint, windows: list[Tokens], bits: int = 4, block_size: int = 32
) -> dict[str, BlockQuantised]:
    """Quantises every layer's matrices by GPTQ on the inputs that `windows` bring them; the head is not among them."""
    moments = second_moments(checkpoint, windows)
    codes: dict[str, BlockQuantised] = {}
    for tensor in export_model(checkpoint, FloatFormat()).graph.initializer:
        name, _, kind = tensor.name.rpartition(".")
        if kind == "weight_t":
            codes[name] = quantise_gptq(numpy_helper.to_array(tensor).T, moments[name], bits, block_size)
        elif kind == "stack":  # (experts, K, N): each expert on its own tokens, codes one below the other
            experts = zip(numpy_helper.to_array(tensor), moments[name], strict=True)
            each = [quantise_gptq(weight.T, moment, bits, block_size) for weight, moment in experts]
            codes[name] = BlockQuantised(np.concatenate([q.codes for q in each]), np.concatenate([q.scales for q in each]), bits)
    return codes


def perplexity(runner: OnnxRunner, pieces: list[Tokens]) -> float:
    """exp of the mean negative log-likelihood of the tokens that count, each piece from a fresh state."""
    total, count = 0.0, 0
    for piece in pieces:
        counted = piece.counts[1:]
        if not counted.any():
            continue
        runner.reset()
        logits = runner.feed(piece.ids[:-1])[counted].astype(np.float64)
        logits -= logits.max(-1, keepdims=True)
        normaliser = np.log(np.exp(logits).sum(-1))
        target = np.take_along_axis(logits, piece.ids[1:][counted][:, None], -1)[:, 0]
        total += float((normaliser - target).sum())
        count += len(target)
    if not count:
        raise ValueError("none of the held-out tokens counts; the mask file holds zeros only")
    return float(np.exp(total / count))
