"""From the base model and its distilled mixers to the checkpoint that teaching starts from, on the 4-bit grid.

    python -m tidepool_model.training.calibrate_hybrid WORK/base.pt WORK/layerwise/layerwise.pt WORK/start --rows plain.npy chat.npy

Attention and MLP matrices stand on the source's own rounding, so they get GPTQ on the inputs they see in the base model; the
mixers take 4 bits well and get the best scale a block. Float weights are kept where they round to the chosen codes and moved
just over the border where they don't.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..architecture.grid import BLOCK, best_scales, calibrate, into_cells
from ..architecture.hybrid_checkpoint import load_base, write_hybrid
from ..architecture.hybrid_llama import HybridLlama, HybridLlamaConfig, Linear


@torch.no_grad()
def second_moments(model: HybridLlama, rows: Tensor) -> dict[str, Tensor]:
    """Mean of x xᵀ (K, K) over the inputs of each matrix, by its name."""
    sums: dict[str, Tensor] = {}

    def watch(name: str):
        def hook(_module: Linear, given: tuple[Tensor, ...]) -> None:
            flat = given[0].reshape(-1, given[0].shape[-1]).float()
            sums[name] = sums.get(name, torch.zeros(())) + flat.T @ flat

        return hook

    hooks = [m.register_forward_pre_hook(watch(f"{name}.weight")) for name, m in model.named_modules() if isinstance(m, Linear)]
    for row in tqdm(rows, desc="inputs", unit="row"):
        model.hidden(row[None])
    for hook in hooks:
        hook.remove()
    return {name: total / rows.numel() for name, total in sums.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("layerwise", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", nargs="+", required=True)
    parser.add_argument("--count", type=int, default=10, help="rows of 512 tokens in all")
    args = parser.parse_args()
    state = torch.load(args.base)
    distilled = torch.load(args.layerwise, weights_only=False)
    config = HybridLlamaConfig(distilled["pattern"], vocab_size=state["embed_tokens.weight"].shape[0])
    model = HybridLlama(config)
    model.load_state_dict(state, strict=False)  # mixers come below
    parameters = dict(model.named_parameters())
    for name, (master, _, _) in distilled["parameters"].items():
        block, part = name.split(".", 1)
        parameters[f"layers.{block}.mixer.{part}"].data.copy_(master)
    share = args.count // len(args.rows)
    rows = torch.from_numpy(np.concatenate([np.load(path, mmap_mode="r")[:share] for path in args.rows])[:, :512].astype(np.int64))
    moments = second_moments(load_base(args.base), rows)
    scales: dict[str, Tensor] = {}
    matrices = [f"{name}.weight" for name, module in model.named_modules() if isinstance(module, Linear)]
    for name in tqdm(matrices, desc="matrices", unit="matrix"):
        weight = parameters[name].data
        if name in state:
            codes, scales[name] = calibrate(weight, moments[name])
            parameters[name].data = into_cells(weight, codes, scales[name])
        else:
            blocks = weight.unflatten(-1, (-1, BLOCK))
            scales[name] = torch.stack([best_scales(blocks[:, at], torch.ones(BLOCK)) for at in range(blocks.shape[1])], 1)
    write_hybrid(args.out, config, model.state_dict(), scales, args.base.parent / "tokenizer.json")


if __name__ == "__main__":
    main()
