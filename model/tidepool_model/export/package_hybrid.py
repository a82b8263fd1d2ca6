"""Owns the way from a hybrid's checkpoint to a model folder that transformers.js and the app load, all or nothing.

    python -m tidepool_model.export.package_hybrid CHECKPOINT ../public/models/lagoon --held-out held.npy

Written into a folder beside the target and checked there: every graph against PyTorch with the very weights that ship
(whole, and in pieces with carried state), those weights against the checkpoint's. Only then are the folders swapped.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from ..architecture.config import ConfigError
from ..architecture.hybrid_checkpoint import HybridCheckpoint, load_hybrid
from ..architecture.hybrid_llama import HybridLlama, HybridLlamaConfig
from .calibration import Tokens, perplexity, read_conversations
from .hybrid_card import NOTICE, hybrid_card
from .hybrid_codes import Matrices, quantise_hybrid, shipped_weights
from .hybrid_graph import FORMS, Form, export_hybrid
from .manifest import file_entries, golden_values
from .onnx_runner import OnnxRunner
from .package import (
    GOLDEN_TEXT, HELD_OUT_TOKENS, PARITY_LIMIT, PackageError, check_variant, checkpoint_digest, golden_tolerance, print_summary, read_provenance,
    replace_folder,
)  # fmt: skip
from .weight_parts import WeightParts, data_file

CHAT_FORM = Path(__file__).resolve().parents[2] / "tokenizer"
"""The folder whose chat template and control tokens every model of this project has."""
CONTROL_TOKENS = (
    "<|endoftext|>", "<|pad|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool_call>", "</tool_call>",
    "<tool_response>", "</tool_response>",
)  # fmt: skip
GREEDY_TOKENS = 16  # that PyTorch writes after the golden prompt, for tests of other runtimes
KEEPER = "q4"  # the variant under whose name the parts lie in the folder
MAX_FOLDER_BYTES = 90_000_000
PERPLEXITY_LIMIT = 1.03  # of what ships, as a multiple of the unrounded checkpoint's


@dataclass(frozen=True)
class HybridOptions:
    held_out: Path | None = None  # tokens to measure perplexity on, of the checkpoint and of what ships
    agreement: float = 0.5  # least share of positions where the best token is the unrounded checkpoint's
    provenance: tuple[str, ...] = ()
    part_bytes: int | None = None


class TorchRunner:
    """A HybridLlama behind OnnxRunner's methods: the reference that graphs are held against."""

    def __init__(self, config: HybridLlamaConfig, state: dict[str, torch.Tensor]) -> None:
        self.model = HybridLlama(config).eval()
        self.model.load_state_dict(state)
        self.reset()

    def reset(self) -> None:
        self.states, self.seen = None, 0

    @torch.no_grad()
    def feed(self, ids: list[int] | np.ndarray, keep: int = 0) -> np.ndarray:
        tokens = torch.as_tensor(np.asarray(ids, np.int64)).reshape(1, -1)
        hidden, self.states = self.model.hidden(tokens, states=self.states, past=self.seen, keep_state=True)
        self.seen += tokens.shape[1]
        return self.model.logits(hidden[:, -keep:])[0].numpy()


def hybrid_config(config: HybridLlamaConfig, parts: int) -> dict:
    """config.json as transformers.js reads it; the class decides the names of the caches, the graph all the rest."""
    return {
        "architectures": ["GraniteMoeHybridForCausalLM"],
        "model_type": "granitemoehybrid",
        "layer_types": ["mamba" if letter == "M" else "attention" for letter in config.pattern],
        "num_hidden_layers": len(config.pattern),
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "shared_intermediate_size": config.intermediate_size,
        "num_local_experts": 0,
        "num_experts_per_tok": 0,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_key_value_heads,
        "head_dim": config.head_dim,
        "position_embedding_type": "rope",
        "rope_theta": config.rope_theta,
        "mamba_n_heads": config.mamba_n_heads,
        "mamba_d_head": config.mamba_d_head,
        "mamba_d_state": config.mamba_d_state,
        "mamba_n_groups": config.mamba_n_heads,
        "mamba_d_conv": config.mamba_d_conv,
        "mamba_expand": 1,
        "mamba_chunk_size": config.chunk_size,
        "hidden_act": "silu",
        "rms_norm_eps": config.rms_norm_eps,
        "max_position_embeddings": config.max_position_embeddings,
        "tie_word_embeddings": True,
        "vocab_size": config.vocab_size,
        "bos_token_id": 0,
        "eos_token_id": 3,
        "pad_token_id": 1,
        "transformers.js_config": {
            "dtype": "q8",
            "device_config": {device: {"dtype": "q4" if device == "webgpu" else "q8"} for device in ("webgpu", "wasm", "cpu")},
            "use_external_data_format": {form.file: parts for form in FORMS.values()},
        },
    }


def read_tokenizer(checkpoint: HybridCheckpoint) -> tuple[Path, Tokenizer]:
    """tokenizer.json of the checkpoint. PackageError where it is missing or its ids don't fit the model or the chat form."""
    path = checkpoint.path / "tokenizer.json"
    if not path.is_file():
        raise PackageError(f"{path} is missing; copy it from the run that wrote hybrid.json")
    tokenizer = Tokenizer.from_file(str(path))
    if tokenizer.get_vocab_size() > checkpoint.config.vocab_size:
        raise PackageError(
            f"{path} has {tokenizer.get_vocab_size()} tokens, the model {checkpoint.config.vocab_size} rows; take both from the same run"
        )
    for index, token in enumerate(CONTROL_TOKENS):
        if tokenizer.token_to_id(token) != index:
            raise PackageError(
                f"{path}: {token} has id {tokenizer.token_to_id(token)}, the chat form gives it {index}; cut the vocabulary with "
                "convert/vocabulary.py, control tokens first"
            )
    return path, tokenizer


def write_static_files(checkpoint: HybridCheckpoint, folder: Path, parts: int) -> None:
    config = checkpoint.config
    path, _ = read_tokenizer(checkpoint)
    (folder / "config.json").write_text(json.dumps(hybrid_config(config, parts), indent=2) + "\n")
    special = {"bos_token_id": 0, "eos_token_id": 3, "pad_token_id": 1}
    (folder / "generation_config.json").write_text(json.dumps(special, indent=2) + "\n")
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    # Spaces for the eye are more than half of the file.
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    settings = json.loads((CHAT_FORM / "tokenizer_config.json").read_text()) | {"model_max_length": config.max_position_embeddings}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
    shutil.copyfile(CHAT_FORM / "chat_template.jinja", folder / "chat_template.jinja")
    (folder / "NOTICE").write_text(NOTICE)


def check_parity(form: Form, runner: OnnxRunner, whole: np.ndarray, pieces: np.ndarray, ids: np.ndarray, cuts: list[int]) -> float:
    """Holds a graph against PyTorch's logits for `ids` read at once and in pieces; the largest difference."""
    runner.reset()
    said = {"at once": (runner.feed(ids), whole)}
    runner.reset()
    said["in pieces with carried state"] = (np.concatenate([runner.feed(ids[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)]), pieces)
    worst = 0.0
    for how, (ours, wanted) in said.items():
        difference = np.abs(ours - wanted)
        at = np.unravel_index(difference.argmax(), difference.shape)
        if not difference.max() < PARITY_LIMIT:
            raise PackageError(
                f"{form.file}: logits for tokens read {how} differ from PyTorch's by {difference.max():.3g} at token {at[0]}, id {at[1]} "
                f"(limit {PARITY_LIMIT}). Nothing was replaced."
            )
        worst = max(worst, float(difference.max()))
    return worst


def hybrid_states(config: HybridLlamaConfig) -> dict:
    """Bytes of every layer's state for one sequence, by variant; KV bytes count one token."""
    halves = {variant: 2 if form.half else 4 for variant, form in FORMS.items()}
    ssm = 4 * config.inner_size * config.mamba_d_state
    conv = 4 * config.conv_dim * (config.mamba_d_conv - 1)
    token = 2 * config.num_key_value_heads * config.head_dim
    mamba, attention = config.pattern.count("M"), config.pattern.count("*")
    return {
        "fixedBytes": {variant: mamba * (ssm + conv) for variant in FORMS},
        "kvBytesPerToken": {variant: attention * token * size for variant, size in halves.items()},
    }


class _Folder:
    """The graphs of a model folder in the making, each with the parts under the names that it looks for."""

    def __init__(self, folder: Path, checkpoint: HybridCheckpoint, matrices: Matrices, parts: WeightParts) -> None:
        self.onnx, self.checkpoint, self.matrices, self.parts = folder / "onnx", checkpoint, matrices, parts
        self.kept: list[Path] = []

    def write(self) -> None:
        self.onnx.mkdir(parents=True)
        for form in FORMS.values():
            graph = export_hybrid(self.checkpoint, self.matrices, self.parts, form)
            (self.onnx / form.file).write_bytes(graph.SerializeToString())
        self.kept = self.parts.write(self.onnx, FORMS[KEEPER].file)

    def runner(self, form: Form) -> OnnxRunner:
        """Opens a form's graph as it was written, or anew where its accuracy level is another one."""
        path = self.onnx / form.file
        if form != FORMS[form.variant]:
            path = self.onnx / f"check-{form.file}"
            path.write_bytes(export_hybrid(self.checkpoint, self.matrices, self.parts, form).SerializeToString())
        names = [self.onnx / data_file(form.file, i) for i in range(len(self.kept))]
        added = [name for name in names if not name.exists()]
        try:
            for name, part in zip(names, self.kept, strict=True):
                if name in added:
                    os.link(part, name)
            return OnnxRunner(path)
        finally:
            for name in added:
                name.unlink()
            if path.name.startswith("check-"):
                path.unlink()


def greedy(runner: TorchRunner, prompt: list[int]) -> list[int]:
    """The ids that the runner writes after a prompt when it always takes the best."""
    runner.reset()
    written = [int(runner.feed(prompt, keep=1)[0].argmax())]
    while len(written) < GREEDY_TOKENS:
        written.append(int(runner.feed(written[-1:], keep=1)[0].argmax()))
    return written


def measure(folder: _Folder, exact: TorchRunner, prompt: list[int], options: HybridOptions) -> tuple[dict, dict]:
    """Checks every graph; gives what was measured, and the golden values."""
    checkpoint = folder.checkpoint
    walk = np.random.default_rng(0).integers(0, checkpoint.config.vocab_size, 96 - len(prompt))
    ids = np.concatenate([np.array(prompt), walk])
    cuts = [0, 1, 2, 37, len(ids)]
    shipped = TorchRunner(checkpoint.config, shipped_weights(checkpoint, folder.matrices))
    whole = shipped.feed(ids)
    shipped.reset()
    pieces = np.concatenate([shipped.feed(ids[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)])
    checks: dict = {"parityMaxAbs": {}, "againstFp32": {}}
    golden: dict = {"input_ids": prompt, "greedy": greedy(shipped, prompt)}
    unrounded = exact.feed(ids)
    last = whole[len(prompt) - 1]  # the same codes in full float32
    for variant, form in FORMS.items():
        if not form.half:
            exactly = folder.runner(replace(form, accuracy_level=0))
            checks["parityMaxAbs"][variant] = check_parity(form, exactly, whole, pieces, ids, cuts)
        runner = folder.runner(form)
        logits = runner.feed(ids)
        checks["againstFp32"][variant] = check_variant(variant, logits, unrounded, options.agreement)
        ours = logits[len(prompt) - 1]
        golden[variant] = golden_values(ours, golden_tolerance(variant, ours, last))
    if options.held_out is not None:
        held_out = read_conversations(options.held_out, checkpoint.path, HELD_OUT_TOKENS)
        checks["perplexity"] = held_out_perplexity(exact, shipped, held_out)
    return checks, golden


def held_out_perplexity(exact: TorchRunner, shipped: TorchRunner, held_out: list[Tokens]) -> dict[str, float]:
    """Of the checkpoint's own weights and of what ships (every variant but for its arithmetic); fails where rounding costs too much."""
    measured = {"fp32": round(perplexity(exact, held_out), 4), "shipped": round(perplexity(shipped, held_out), 4)}
    if measured["shipped"] > PERPLEXITY_LIMIT * measured["fp32"]:
        raise PackageError(
            f"held-out perplexity of what ships is {measured['shipped']}, {measured['shipped'] / measured['fp32'] - 1:.1%} above the "
            f"checkpoint's {measured['fp32']}, limit {PERPLEXITY_LIMIT - 1:.0%}. Nothing was replaced. Teach on the 4-bit grid, or leave "
            "--held-out out to package without this check."
        )
    return measured


def write_hybrid(checkpoint: HybridCheckpoint, folder: Path, name: str, options: HybridOptions) -> dict:
    """Writes and checks all files of a model folder that doesn't exist yet; returns the manifest."""
    config = checkpoint.config
    _, tokenizer = read_tokenizer(checkpoint)
    prompt = [int(i) for i in tokenizer.encode(GOLDEN_TEXT, add_special_tokens=False).ids]
    parts = WeightParts() if options.part_bytes is None else WeightParts(options.part_bytes)
    graphs = _Folder(folder, checkpoint, quantise_hybrid(checkpoint), parts)
    graphs.write()
    write_static_files(checkpoint, folder, len(parts.parts))
    exact = TorchRunner(config, {key: torch.from_numpy(value) for key, value in checkpoint.weights().items()})
    checks, golden = measure(graphs, exact, prompt, options)
    manifest = {
        "name": name,
        "files": file_entries(folder),
        "parameters": checkpoint.parameter_count,
        "pattern": config.pattern,
        "layers": [{"index": i, "type": "mamba" if letter == "M" else "attention"} for i, letter in enumerate(config.pattern)],
        "variants": {variant: f"onnx/{form.file}" for variant, form in FORMS.items()},
        # Weights of all variants, in order; part i is what a graph calls by its own name with `_data` or `_data_i` behind it.
        "parts": [path.relative_to(folder).as_posix() for path in graphs.kept],
        "taughtMatrices": graphs.matrices.taught,
        "states": hybrid_states(config),
        "provenance": read_provenance(checkpoint.path, options.provenance),
        "checkpointSha256": checkpoint_digest(checkpoint.tensors),
        "checks": checks,
        "golden": golden,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    (folder / "README.md").write_text(hybrid_card(manifest, None))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > MAX_FOLDER_BYTES:
        raise PackageError(f"the folder has {size} bytes, limit {MAX_FOLDER_BYTES}. Nothing was replaced. Keep fewer rows of the vocabulary.")
    return manifest


def package_hybrid(checkpoint_path: Path, out: Path, options: HybridOptions) -> dict:
    """Builds the model folder `out`, or raises and leaves it as it was; returns the manifest."""
    checkpoint = load_hybrid(checkpoint_path)
    return replace_folder(out, lambda new: write_hybrid(checkpoint, new, out.name, options), keep=())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="folder with hybrid.json, model.safetensors and tokenizer.json")
    parser.add_argument("out", type=Path)
    parser.add_argument("--held-out", type=Path, help="tokens or text to measure perplexity on; fails where rounding costs over 3 %%")
    parser.add_argument("--agreement", type=float, default=0.5, help="least share of equal best tokens against the unrounded checkpoint")
    parser.add_argument("--provenance", action="append", default=[], metavar="KEY=VALUE")
    a = parser.parse_args()
    try:
        manifest = package_hybrid(a.checkpoint, a.out, HybridOptions(a.held_out, a.agreement, tuple(a.provenance)))
    except (ConfigError, PackageError, FileNotFoundError, ValueError) as error:
        print(f"package_hybrid: {error}", file=sys.stderr)
        return 1
    print_summary(a.out, manifest)
    return 0


if __name__ == "__main__":
    sys.exit(main())
