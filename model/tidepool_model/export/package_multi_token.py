"""Owns the folder of a model with a module of multi-token prediction: a packaged parent's own graphs and the module beside.

    python -m tidepool_model.export.package_multi_token RUN/module ../public/models/tidepool ../public/models/tidepool-mtp

The parent's weights stay as they are, byte for byte; its graphs get one more output (`hidden_states`). The module's graphs
find embedding and head inside the parent's files. Checked before the folder is put in place: the parent's logits are the
same bits with the new output, and the module's float32 graph is PyTorch's module.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor

from ..architecture.checkpoint_reader import Checkpoint, CheckpointError
from ..architecture.model import CheckpointError as ModuleError
from ..architecture.multi_token import MultiTokenModule, load_module, module_tensors
from .manifest import file_entries
from .multi_token import export_module, module_checkpoint, share_tables, with_hidden_states
from .onnx_graph import FoldedFormat, NBitsFormat, WeightFormat
from .onnx_runner import OnnxRunner
from .package import PackageError, read_provenance, replace_folder
from .packaged_weights import packaged_checkpoint

MODULES: dict[str, tuple[str, WeightFormat]] = {
    "q4": ("onnx/mtp_q4.onnx", NBitsFormat()),
    "quantized": ("onnx/mtp_quantized.onnx", FoldedFormat()),
}
PARITY_LIMIT = 1e-3
AGREEMENT = 0.8  # least share of drafts that the rounded module shares with the float32 one


class ModuleRunner:
    """A module's graph and its cache, piece by piece (batch of one)."""

    def __init__(self, model: bytes | str) -> None:
        self.session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        self.past: dict[str, np.ndarray] = {}
        for value in self.session.get_inputs():
            if value.name.startswith("past_"):
                self.past[value.name] = np.zeros([d if isinstance(d, int) else 0 if at else 1 for at, d in enumerate(value.shape)], np.float32)
        self.seen = 0

    def feed(self, hidden: np.ndarray, ids: np.ndarray, keep: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """hidden (seq, hidden), ids (seq,) -> logits (kept, vocab) and hidden (kept, hidden)."""
        self.seen += len(ids)
        feeds = {
            "input_ids": ids.reshape(1, -1).astype(np.int64),
            "hidden_states": hidden[None].astype(np.float32),
            "attention_mask": np.ones((1, self.seen), np.int64),
            "num_logits_to_keep": np.array(keep, np.int64),
            **self.past,
        }
        names = ["logits", "next_hidden_states", *(name.replace("past_key_values", "present") for name in self.past)]
        logits, after, *past = self.session.run(names, feeds)
        self.past = dict(zip(self.past, past, strict=True))
        return logits[0], after[0]


def parent_hidden(graph: bytes, ids: np.ndarray) -> np.ndarray:
    """`hidden_states` (seq, hidden) of a parent's graph."""
    return OnnxRunner(graph).observe(ids, ["hidden_states"])["hidden_states"][0]


@torch.no_grad()
def torch_logits(module: MultiTokenModule, table: np.ndarray, hidden: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """PyTorch's logits (seq, vocab) at depth 1 over a whole sequence, the head tied to `table`."""
    rows = torch.from_numpy(table)
    embedded: Tensor = torch.nn.functional.embedding(torch.from_numpy(ids)[None], rows)
    after, _ = module(torch.from_numpy(hidden)[None], embedded)
    return (after[0] @ rows.T).numpy()


def check_module(module: MultiTokenModule, own: Checkpoint, hidden: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, float]:
    """The float32 graph against PyTorch, whole and in pieces; returns its logits (seq, vocab) and the largest difference."""
    expected = torch_logits(module, own.tensor("model.embeddings.weight"), hidden, ids)
    graph = export_module(own).SerializeToString()
    whole, _ = ModuleRunner(graph).feed(hidden, ids)
    pieces, runner = [], ModuleRunner(graph)
    for a, b in ((0, 1), (1, 4), (4, len(ids))):
        pieces.append(runner.feed(hidden[a:b], ids[a:b])[0])
    worst = max(float(np.abs(logits - expected).max()) for logits in (whole, np.concatenate(pieces)))
    if not worst < PARITY_LIMIT:
        raise PackageError(f"the module's float32 graph differs from PyTorch's by {worst:.3g} (limit {PARITY_LIMIT}). Nothing was replaced.")
    return whole, worst


def write_folder(module_folder: Path, parent_folder: Path, out: Path, name: str, agreement: float = AGREEMENT) -> dict:
    """Writes and checks all files of a folder that does not exist yet; returns the manifest."""
    parent = packaged_checkpoint(parent_folder)
    module = load_module(module_folder, parent.shape)
    pattern = module.config.mtp_hybrid_override_pattern
    own = module_checkpoint(parent, pattern, module_tensors(module))
    theirs = json.loads((parent_folder / "manifest.json").read_text())

    (out / "onnx").mkdir(parents=True)
    for path in sorted(parent_folder.iterdir()):
        if path.is_file() and path.name not in ("README.md", "manifest.json", "eval.json", "config.json"):
            shutil.copyfile(path, out / path.name)
    config = {**parent.config, "num_nextn_predict_layers": 1, "mtp_hybrid_override_pattern": pattern}
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")

    ids = np.random.default_rng(0).integers(0, parent.shape.vocab_size, 64)
    shipped: dict[str, bytes] = {}
    for variant, path in theirs["variants"].items():
        before = (parent_folder / path).read_bytes()
        shipped[variant] = with_hidden_states(onnx.load_from_string(before)).SerializeToString()
        if not np.array_equal(OnnxRunner(before).feed(ids), OnnxRunner(shipped[variant]).feed(ids)):
            raise PackageError(f"{path}: its logits changed with the new output. Nothing was replaced.")
        (out / path).write_bytes(shipped[variant])

    hidden = parent_hidden(shipped["quantized"], ids)[:-1]
    exact, worst = check_module(module, own, hidden, ids[1:])
    checks: dict = {"parityMaxAbs": worst, "againstFp32": {}}
    for variant, (path, weights) in MODULES.items():
        if variant not in shipped:
            continue
        graph = share_tables(export_module(own, weights), shipped[variant], Path(theirs["variants"][variant]).name)
        (out / path).write_bytes(graph.SerializeToString())
        logits, _ = ModuleRunner(str(out / path)).feed(hidden, ids[1:])
        same = float((logits.argmax(-1) == exact.argmax(-1)).mean())
        checks["againstFp32"][variant] = {"top1": round(same, 4)}
        if same < agreement:
            raise PackageError(f"{path}: {same:.0%} of its drafts are the float32 module's, {agreement:.0%} needed (--agreement). Nothing was replaced.")

    manifest = {
        **theirs,
        "name": name,
        "files": file_entries(out),
        "parameters": theirs["parameters"] + module.parameter_count,
        "drafts": {variant: path for variant, (path, _) in MODULES.items() if variant in shipped},
        "provenance": {
            "parent": theirs["name"],
            "parentSha256": hashlib.sha256((parent_folder / "manifest.json").read_bytes()).hexdigest(),
            "backbone": theirs["provenance"],
            "module": read_provenance(module_folder, ()),
        },
        "checks": {**theirs["checks"], "module": checks},
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", type=Path, help="folder that tidepool_model.training.multi_token wrote")
    parser.add_argument("parent", type=Path, help="packaged model that the module was trained on")
    parser.add_argument("out", type=Path)
    parser.add_argument("--agreement", type=float, default=AGREEMENT, help="least share of drafts that rounding leaves as they are")
    a = parser.parse_args()
    try:
        manifest = replace_folder(a.out, lambda new: write_folder(a.module, a.parent, new, a.out.name, a.agreement))
    except (CheckpointError, ModuleError, PackageError, FileNotFoundError, KeyError) as error:
        print(f"package_multi_token: {error}", file=sys.stderr)
        return 1
    print(f"{a.out}: {manifest['parameters']} parameters, checks {json.dumps(manifest['checks']['module'])}")
    for entry in manifest["files"]:
        print(f"  {entry['bytes']:>10}  {entry['path']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
