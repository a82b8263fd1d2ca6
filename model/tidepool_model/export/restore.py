"""Writes a packaged model back as a checkpoint folder that training goes on from.

    python -m tidepool_model.export.restore ../public/models/tidepool --out FOLDER

The weights are those of the WASM file, int8 codes times scales: what is shipped, not the float32 checkpoint it was made of.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from ..architecture.checkpoint_reader import CheckpointError
from ..architecture.model import HybridLM, save_pretrained
from .packaged_weights import FILE, packaged_checkpoint


def restored_model(folder: Path) -> HybridLM:
    """The packaged model with its weights as float32. Raises CheckpointError naming the file and the tensor."""
    checkpoint = packaged_checkpoint(folder)
    tensors = {name: torch.from_numpy(value) for name, value in checkpoint.tensors.items()}
    if checkpoint.shape.tie_word_embeddings:
        tensors["lm_head.weight"] = tensors["model.embeddings.weight"]
    model = HybridLM(checkpoint.shape)
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in tensors.items()}
    if wanted != given:
        name = sorted(name for name in wanted.keys() | given.keys() if wanted.get(name) != given.get(name))[0]
        raise CheckpointError(
            f"{folder / FILE}: {name} is {given.get(name)}, config.json asks for {wanted.get(name)}; package the model anew"
        )
    model.load_state_dict(tensors)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a packaged model folder")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder to write")
    options = parser.parse_args()
    try:
        model = restored_model(options.model)
    except CheckpointError as error:
        raise SystemExit(f"error: {error}") from error
    config = json.loads((options.model / "config.json").read_text())
    special = {name: config[name] for name in ("eos_token_id", "pad_token_id", "bos_token_id")}
    manifest = json.loads((options.model / "manifest.json").read_text())
    save_pretrained(model, options.out, special, {**manifest.get("provenance", {}), "restored_from": FILE})
    print(f"{model.parameter_count:,} parameters of {options.model.name} in {options.out}")


if __name__ == "__main__":
    main()
