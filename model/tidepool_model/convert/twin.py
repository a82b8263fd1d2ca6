"""Makes the all-attention twin of a hybrid: every Mamba layer becomes attention, MLPs widen until parameters are equal.

    python -m tidepool_model.convert.twin --from CHECKPOINT --out FOLDER
    python -m tidepool_model.convert.twin --from CHECKPOINT --mixers mamba --out FOLDER

Embedding, norms, MLPs and the hybrid's own attention are kept; what is new starts by chance (the MLPs' new units silent). With
`--mixers mamba` the same layers get fresh Mamba mixers instead: the hybrid that the twin is compared with, which has to learn as
much again. Both are taught by the original (`training.train --teacher`). What is kept has grown up beside Mamba layers, which is
in the hybrid's favour.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch

from ..architecture.config import ConfigError, ModelConfig
from ..architecture.model import CheckpointError, HybridLM, load_pretrained, save_pretrained

WIDTH_STEP = 32  # a block of the 4-bit formats


def mixer_parameters(config: ModelConfig) -> tuple[int, int]:
    """Parameters of one Mamba mixer and of one attention mixer."""
    inner, conv, heads = config.inner_size, config.conv_dim, config.mamba_num_heads
    mamba = config.hidden_size * (inner + conv + heads) + conv * (config.conv_kernel + 1) + 3 * heads + inner + inner * config.hidden_size
    attention = 2 * config.hidden_size * config.head_dim * (config.num_attention_heads + config.num_key_value_heads)
    return mamba, attention


def twin_config(hybrid: ModelConfig) -> ModelConfig:
    """All-attention, with as many parameters as WIDTH_STEP allows. Raises ConfigError where there is no MLP to widen."""
    if "M" not in hybrid.pattern or "-" not in hybrid.pattern:
        raise ConfigError(f"layer pattern {hybrid.pattern!r} needs Mamba layers (M) to replace and MLPs (-) to widen")
    mamba, attention = mixer_parameters(hybrid)
    missing = hybrid.pattern.count("M") * (mamba - attention)
    units = hybrid.intermediate_size + missing / (hybrid.pattern.count("-") * 2 * hybrid.hidden_size)
    return replace(hybrid, pattern=hybrid.pattern.replace("M", "*"), intermediate_size=max(1, round(units / WIDTH_STEP)) * WIDTH_STEP)


@torch.no_grad()
def twin(model: HybridLM, mixers: Literal["attention", "mamba"], seed: int = 1) -> HybridLM:
    """`model` with fresh mixers of that kind in place of its Mamba layers; everything else is kept."""
    config = twin_config(model.config) if mixers == "attention" else model.config
    torch.manual_seed(seed)
    made = HybridLM(config)
    old = model.state_dict()
    for name, value in made.state_dict().items():
        index = name.split(".")[2] if name.startswith("model.layers.") else None
        if index is not None and ".mixer." in name and model.config.pattern[int(index)] == "M":
            continue
        if name.endswith("down_proj.weight"):
            value.zero_()  # units that are new say nothing yet
        value[tuple(slice(size) for size in old[name].shape)] = old[name]
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=Path, required=True, help="checkpoint folder of the hybrid")
    parser.add_argument("--mixers", choices=("attention", "mamba"), default="attention")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder to write")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        model = load_pretrained(options.source)
        made = twin(model, options.mixers, options.seed)
    except (ConfigError, CheckpointError) as error:
        raise SystemExit(f"error: {error}") from error
    raw = json.loads((options.source / "config.json").read_text())
    special = {name: raw[name] for name in ("eos_token_id", "pad_token_id", "bos_token_id")}
    path = options.source / "provenance.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    save_pretrained(made, options.out, special, {**before, "fresh_mixers": options.mixers, "parameters": made.parameter_count})
    print(f"{made.config.pattern}: {model.parameter_count:,} -> {made.parameter_count:,} parameters in {options.out}")


if __name__ == "__main__":
    main()
