"""Owns the way from a checkpoint to a model folder that transformers.js loads, all or nothing.

Everything is written into a temporary folder beside the target and checked there: the float32 graph against the numpy
reference (whole, in pieces), each variant against float32. Only then are the folders swapped; on any failure the old
model stays and the message names the check and its numbers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..architecture.checkpoint_reader import Checkpoint, CheckpointError, load_checkpoint
from ..architecture.config import ModelConfig
from ..architecture.reference_numpy import Reference
from .calibration import Tokens, calibrated_codes, perplexity, read_conversations, read_windows
from .export_onnx import export_model
from .manifest import ONNX_FILE, file_entries, golden_values, state_table, transformers_js_config
from .onnx_graph import FloatFormat, FoldedFormat, NBitsFormat, WeightFormat
from .onnx_runner import OnnxRunner
from .quantise import BlockQuantised

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")
GOLDEN_TEXT = "<|im_start|>user\nWhat is 12 + 30?<|im_end|>\n<|im_start|>assistant\n<think>\n"
PARITY_LIMIT = 1e-3  # largest allowed |ONNX float32 - reference| on any logit
MAX_FILE_BYTES = 100_000_000  # static hosts refuse larger files
KEPT_FILES = ("README.md",)  # written by people, not by this recipe: carried over from the old folder


class PackageError(RuntimeError):
    """A package that failed one of its own checks; the old folder is untouched."""


PERPLEXITY_LIMITS = {"quantized": 1.01, "q4": 1.03, "q4f16": 1.03}
"""Largest allowed held-out perplexity, as a multiple of float32's."""
CALIBRATION_TOKENS = 16384  # inputs of GPTQ: 64 windows, ten times the widest matrix of the largest preset
HELD_OUT_TOKENS = 16384


@dataclass(frozen=True)
class Options:
    """What the command line says beside the checkpoint and the target."""

    variants: tuple[str, ...] = ("q4", "q4f16", "quantized")
    tokenizer: Path | None = None
    ship_fp32: bool = False
    agreement: float = 0.5  # least share of positions where a variant's best token is float32's
    calibration: Path | None = None  # tokens to fit the 4-bit rounding to; left out, weights are rounded alone
    held_out: Path | None = None  # tokens to measure perplexity on
    provenance: tuple[str, ...] = ()


def four_bit_format(
    shape: ModelConfig, codes: dict[str, BlockQuantised] | None, half: bool = False, accuracy_level: int = 4
) -> NBitsFormat:
    """4 bits with Mamba's out_proj kept at 8: for 6 % more bytes the mean KL to float32 falls by a third (LOG.md)."""
    kept = {f"layers.{index}.out_proj": 8 for index, layer in enumerate(shape.layer_types) if layer == "mamba"}
    fitted = {name: code for name, code in (codes or {}).items() if name not in kept}
    return NBitsFormat(half=half, accuracy_level=accuracy_level, bits_of=kept, codes_of=fitted)


def folded_format(shape: ModelConfig, codes: dict[str, BlockQuantised] | None) -> FoldedFormat:
    """8 bits; experts, of which a token meets few, 4 bits as Nemotron 3's are deployed, so that all of them stay under 4 MB."""
    shared = [f"layers.{i}.shared.{part}_proj" for i, layer in enumerate(shape.layer_types) if layer == "moe" for part in ("up", "down")]
    return FoldedFormat(bits_of=dict.fromkeys(shared, 4), codes_of=codes or {})


def variant_format(variant: str, shape: ModelConfig, codes: dict[str, BlockQuantised] | None = None) -> WeightFormat:
    """The weight format of a variant name; `codes` are matrices that have been quantised to 4 bits already."""
    match variant:
        case "fp32":
            return FloatFormat()
        case "q4":
            return four_bit_format(shape, codes)
        case "q4f16":
            return four_bit_format(shape, codes, half=True)
        case "quantized":
            return folded_format(shape, codes)
    raise PackageError(f"unknown variant '{variant}'; known: {', '.join(ONNX_FILE)}")


def golden_ids(tokenizer: Path | None, vocab_size: int) -> list[int]:
    """The self-test's prompt: a short chat turn, or a fixed walk over the vocabulary where there is no tokenizer."""
    if tokenizer is not None:
        from tokenizers import Tokenizer

        ids = Tokenizer.from_file(str(tokenizer / "tokenizer.json")).encode(GOLDEN_TEXT, add_special_tokens=False).ids
        if max(ids) >= vocab_size:
            raise PackageError(f"{tokenizer}: token id {max(ids)} is outside the model's vocabulary of {vocab_size}")
        return ids
    return [(37 * i + 11) % vocab_size for i in range(16)]


def check_parity(runner: OnnxRunner, checkpoint: Checkpoint, ids: np.ndarray) -> float:
    """Compares the float32 graph with the numpy reference, whole and in pieces; returns the largest difference."""
    expected = Reference(checkpoint).logits(ids)
    cuts = [0, 1, 2, len(ids) // 3, len(ids)]
    runner.reset()
    whole = runner.feed(ids)
    runner.reset()
    pieces = np.concatenate([runner.feed(ids[a:b]) for a, b in zip(cuts, cuts[1:], strict=False) if b > a])
    worst = 0.0
    for name, logits in (("whole", whole), ("in pieces with carried state", pieces)):
        difference = np.abs(logits - expected)
        at = np.unravel_index(difference.argmax(), difference.shape)
        if not difference.max() < PARITY_LIMIT:
            raise PackageError(
                f"parity failed: logits of the float32 graph ({name}) differ from the reference by {difference.max():.3g} "
                f"at token {at[0]}, id {at[1]} (limit {PARITY_LIMIT}); model {checkpoint.path}. Nothing was replaced."
            )
        worst = max(worst, float(difference.max()))
    return worst


def check_variant(variant: str, logits: np.ndarray, exact: np.ndarray, agreement: float) -> dict:
    """Compares a variant's logits (seq, vocab) with float32's; returns how near they are."""
    if not np.isfinite(logits).all():
        raise PackageError(f"{variant}: logits hold NaN or infinity. Nothing was replaced.")

    def log_softmax(x: np.ndarray) -> np.ndarray:
        shifted = x.astype(np.float64) - x.max(-1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))

    p, q = log_softmax(exact), log_softmax(logits)
    same = float((logits.argmax(-1) == exact.argmax(-1)).mean())
    measured = {"top1": round(same, 4), "kl": round(float((np.exp(p) * (p - q)).sum(-1).mean()), 5)}
    if same < agreement:
        raise PackageError(
            f"{variant}: its best token agrees with float32 at {same:.0%} of {len(logits)} positions, "
            f"{agreement:.0%} needed (--agreement); mean KL {measured['kl']}. Nothing was replaced."
        )
    return measured


def golden_tolerance(variant: str, logits: np.ndarray, same_weights: np.ndarray) -> float:
    """How far another device may be from these values: measured from the arithmetic freedom the variant leaves.

    MatMulNBits with accuracy_level 4 rounds activations to int8, q4f16 rounds everything; both differ by kernel. The
    yardstick is the distance to `same_weights`, the logits of the same codes in full float32, three times over.
    """
    if variant in ("fp32", "quantized"):
        return 1e-3 * max(1.0, float(np.abs(logits).max()))
    top = np.argsort(-logits)[:8]
    return 0.05 + 3.0 * float(np.abs(same_weights - logits)[top].max())


def read_provenance(folder: Path, overrides: tuple[str, ...]) -> dict:
    """Where the weights come from: provenance.json of the checkpoint's folder, this repository's commit, key=value overrides."""
    path = folder / "provenance.json"
    provenance = json.loads(path.read_text()) if path.is_file() else {}
    git = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
    provenance.setdefault("exportCommit", git.stdout.strip() or None)
    for pair in overrides:
        key, separator, value = pair.partition("=")
        if not separator:
            raise PackageError(f"--provenance wants key=value, got '{pair}'")
        provenance[key] = int(value) if value.isdigit() else value
    return provenance


def checkpoint_digest(tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over the tensors, by name: tells whether two packages hold the same weights."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()


def generation_config(checkpoint: Checkpoint) -> dict:
    """generation_config.json: the checkpoint's own, or its special token ids."""
    path = checkpoint.path / "generation_config.json"
    if path.is_file():
        return json.loads(path.read_text())
    keys = ("bos_token_id", "eos_token_id", "pad_token_id")
    return {key: checkpoint.config[key] for key in keys if checkpoint.config.get(key) is not None}


def write_static_files(checkpoint: Checkpoint, tokenizer: Path | None, folder: Path) -> None:
    """Writes the configs and copies the tokenizer."""
    (folder / "onnx").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(transformers_js_config(checkpoint), indent=2) + "\n")
    (folder / "generation_config.json").write_text(json.dumps(generation_config(checkpoint), indent=2) + "\n")
    if tokenizer is not None:
        for file in TOKENIZER_FILES:
            if (tokenizer / file).is_file():
                shutil.copyfile(tokenizer / file, folder / file)


def check_perplexity(runners: dict[str, OnnxRunner], held_out: list[Tokens], shape: ModelConfig) -> dict[str, float]:
    """Held-out perplexity of each variant; fails where one is too far above float32."""
    measured = {variant: round(perplexity(runner, held_out), 4) for variant, runner in runners.items()}
    has_experts = "moe" in shape.layer_types  # in 4 bits, in the WASM file too
    for variant, limit in (PERPLEXITY_LIMITS | ({"quantized": PERPLEXITY_LIMITS["q4"]} if has_experts else {})).items():
        if variant in measured and measured[variant] > limit * measured["fp32"]:
            raise PackageError(
                f"{variant}: held-out perplexity {measured[variant]} is {measured[variant] / measured['fp32'] - 1:.1%} above "
                f"float32's {measured['fp32']}, limit {limit - 1:.0%}. Nothing was replaced. Pass --calibration, or leave "
                f"--held-out out to package without this check."
            )
    return measured


def write_package(checkpoint: Checkpoint, folder: Path, name: str, options: Options) -> dict:
    """Writes and checks all files of a model folder that does not exist yet; returns the manifest."""
    write_static_files(checkpoint, options.tokenizer, folder)
    prompt = golden_ids(options.tokenizer, checkpoint.shape.vocab_size)
    walk = np.random.default_rng(0).integers(0, checkpoint.shape.vocab_size, 64 - len(prompt) % 64)
    parity_ids = np.concatenate([np.array(prompt), walk])
    codes = None
    if options.calibration is not None and ({"q4", "q4f16"} & set(options.variants) or "moe" in checkpoint.shape.layer_types):
        codes = calibrated_codes(checkpoint, read_windows(options.calibration, options.tokenizer, CALIBRATION_TOKENS))

    runners, quality, golden = {}, {}, {"input_ids": [int(i) for i in prompt]}
    exact, parity, same_weights = None, 0.0, None
    shipped = (["fp32"] if options.ship_fp32 else []) + list(options.variants)
    for variant in dict.fromkeys(["fp32", *options.variants]):
        data = export_model(checkpoint, variant_format(variant, checkpoint.shape, codes)).SerializeToString()
        runner = runners[variant] = OnnxRunner(data)
        if exact is None:
            parity = check_parity(runner, checkpoint, parity_ids)
            runner.reset()
            exact = runner.feed(parity_ids)
        else:
            quality[variant] = check_variant(variant, runner.feed(parity_ids), exact, options.agreement)
        if variant in ("q4", "q4f16") and same_weights is None:
            float_activations = four_bit_format(checkpoint.shape, codes, accuracy_level=0)
            yardstick = OnnxRunner(export_model(checkpoint, float_activations).SerializeToString())
            same_weights = yardstick.feed(prompt, keep=1)[0]
        runner.reset()
        last = runner.feed(prompt, keep=1)[0]
        golden[variant] = golden_values(last, golden_tolerance(variant, last, last if same_weights is None else same_weights))
        if variant in shipped:
            path = folder / "onnx" / ONNX_FILE[variant]
            path.write_bytes(data)
            if len(data) >= MAX_FILE_BYTES:
                raise PackageError(f"{path.name}: {len(data)} bytes, limit {MAX_FILE_BYTES}; ship a smaller variant.")

    checks: dict = {"parityMaxAbs": parity, "againstFp32": quality}
    if options.held_out is not None:
        held_out = read_conversations(options.held_out, options.tokenizer, HELD_OUT_TOKENS)
        checks["perplexity"] = check_perplexity(runners, held_out, checkpoint.shape)
    manifest = {
        "name": name,
        "files": file_entries(folder),
        "parameters": checkpoint.parameter_count,
        **({"activeParameters": checkpoint.shape.active_parameters(checkpoint.parameter_count)} if "moe" in checkpoint.shape.layer_types else {}),
        "pattern": checkpoint.shape.pattern,
        "layers": [{"index": i, "type": t} for i, t in enumerate(checkpoint.shape.layer_types)],
        "variants": {v: f"onnx/{ONNX_FILE[v]}" for v in shipped},
        "states": state_table(checkpoint.shape, shipped),
        "provenance": read_provenance(checkpoint.path, options.provenance),
        "checkpointSha256": checkpoint_digest(checkpoint.tensors),
        "checks": checks,
        "golden": golden,
    }
    roles = checkpoint.path / "roles.json"  # of a model that was taught to draft, check and mend (posttraining/feedback_edit.py)
    if roles.is_file():
        manifest["roles"] = json.loads(roles.read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def carry_over(old: Path, new: Path, manifest: dict, keep: tuple[str, ...]) -> None:
    """Keeps files of the old folder that this recipe does not write; eval.json only if the weights are the same."""
    for file in keep:
        if (old / file).is_file():
            shutil.copyfile(old / file, new / file)
    old_manifest = old / "manifest.json"
    if (old / "eval.json").is_file() and old_manifest.is_file():
        if json.loads(old_manifest.read_text()).get("checkpointSha256") == manifest["checkpointSha256"]:
            shutil.copyfile(old / "eval.json", new / "eval.json")


def package(checkpoint_path: Path, out: Path, options: Options) -> dict:
    """Builds the model folder `out` from a checkpoint, or raises and leaves `out` as it was; returns the manifest."""
    checkpoint = load_checkpoint(checkpoint_path)
    for variant in options.variants:
        variant_format(variant, checkpoint.shape)
    if options.tokenizer is not None and not (options.tokenizer / "tokenizer.json").is_file():
        raise PackageError(f"{options.tokenizer / 'tokenizer.json'}: not found. Train the tokenizer or pass its folder.")
    return replace_folder(out, lambda new: write_package(checkpoint, new, out.name, options))


def replace_folder(out: Path, write: Callable[[Path], dict], keep: tuple[str, ...] = KEPT_FILES) -> dict:
    """Has `write` make a folder and a manifest, and puts it in the place of `out`; what it raises leaves `out` as it was.

    Files of the old folder that are in `keep` go along, and eval.json where the weights are the same.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    new = out.parent / f".{out.name}.new-{os.getpid()}"
    old = out.parent / f".{out.name}.old-{os.getpid()}"
    try:
        manifest = write(new)
        if out.exists():
            carry_over(out, new, manifest, keep)
            out.rename(old)
        new.rename(out)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    return manifest


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True, type=Path)
    parser.add_argument("--tokenizer", type=Path, help="folder with tokenizer.json; left out, no tokenizer files are written")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--variants", default="q4,q4f16,quantized")
    parser.add_argument("--fp32", action="store_true", help="ship model.onnx too")
    parser.add_argument("--calibration", type=Path, help="tokens (.bin of data/build.py, .npy or text) for the 4-bit rounding")
    parser.add_argument("--held-out", type=Path, help="tokens to measure perplexity on; fails above 1 %% (q8) or 3 %% (q4)")
    parser.add_argument("--agreement", type=float, default=0.5, help="least share of equal best tokens against float32")
    parser.add_argument("--provenance", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def print_summary(out: Path, manifest: dict) -> None:
    """What was packaged: size, pattern, checks, and each file with its bytes."""
    print(f"{out}: {manifest['parameters']} parameters, {manifest['pattern']}, checks {json.dumps(manifest['checks'])}")
    for entry in manifest["files"]:
        print(f"  {entry['bytes']:>10}  {entry['path']}")


def main() -> int:
    """Command line; prints the manifest's main numbers."""
    a = parse_arguments()
    options = Options(
        tuple(a.variants.split(",")), a.tokenizer, a.fp32, a.agreement, a.calibration, a.held_out, tuple(a.provenance)
    )
    try:
        manifest = package(a.checkpoint, a.out, options)
    except (CheckpointError, PackageError, FileNotFoundError, ValueError) as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    print_summary(a.out, manifest)
    return 0


if __name__ == "__main__":
    sys.exit(main())
