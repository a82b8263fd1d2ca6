"""Widens a trained model into a larger preset that computes the same function, so that training goes on from there.

    python -m tidepool_model.convert.grow --from CHECKPOINT --preset small --out FOLDER

Net2Net's idea (Chen et al., arXiv 1511.05641) with zeros instead of copies: the residual stream's new channels are zero
because nothing writes to them yet, new heads and units are there but nobody listens to them yet (a zero gate in a Mamba
layer, zero output columns elsewhere). What reads the new channels is random, so all of it gets gradients from the first
step. RMSNorm averages over the zeros too, which its weights make good, up to its epsilon.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..architecture.config import ConfigError, ModelConfig, preset
from ..architecture.model import CheckpointError, HybridLM, load_pretrained, save_pretrained

SAME = ("pattern", "vocab_size", "mamba_head_dim", "ssm_state_size", "n_groups", "conv_kernel", "num_key_value_heads", "head_dim", "tie_word_embeddings")
"""What growth leaves alone: more heads, wider streams and wider MLPs only."""

WIDER = ("hidden_size", "mamba_num_heads", "num_attention_heads", "intermediate_size")


def check(old: ModelConfig, new: ModelConfig) -> None:
    """Raises ConfigError naming the field by which `old` can't grow into `new`."""
    for name in SAME:
        if getattr(old, name) != getattr(new, name):
            raise ConfigError(f"can't grow: {name} is {getattr(old, name)!r} and would be {getattr(new, name)!r}; only {', '.join(WIDER)} can grow")
    for name in WIDER:
        if getattr(old, name) > getattr(new, name):
            raise ConfigError(f"can't grow: {name} would fall from {getattr(old, name)} to {getattr(new, name)}")
    if old.n_groups != 1:
        raise ConfigError(f"can't grow: n_groups is {old.n_groups}; new heads would change which heads share a norm, so only 1 can grow")
    if "E" in old.pattern:
        raise ConfigError("can't grow: the pattern has experts (E), which growth does not know")


def positions(old: ModelConfig, new: ModelConfig) -> dict[str, Tensor]:
    """Where each old row or column of an axis stands in the new one, int64 (old size,), by the axis' name."""
    inner = torch.arange(old.inner_size)
    shared = 2 * old.n_groups * old.ssm_state_size  # B and C
    conv = torch.cat([inner, new.inner_size + torch.arange(shared)])  # x, then B and C
    heads = torch.arange(old.mamba_num_heads)
    # Query heads stay with their key and value head: each of these gets its new queries behind its old ones.
    per_kv, new_per_kv = (c.num_attention_heads // c.num_key_value_heads for c in (old, new))
    query_heads = torch.cat([kv * new_per_kv + torch.arange(per_kv) for kv in range(old.num_key_value_heads)])
    return {
        "hidden": torch.arange(old.hidden_size),
        "inner": inner,
        "conv": conv,
        "heads": heads,
        # z, then what the convolution sees, then Δ
        "in": torch.cat([inner, new.inner_size + conv, new.inner_size + new.conv_dim + heads]),
        "query": (query_heads[:, None] * old.head_dim + torch.arange(old.head_dim)).flatten(),
        "shared": torch.arange(old.num_key_value_heads * old.head_dim),
        "up": torch.arange(old.intermediate_size),
        "vocab": torch.arange(old.vocab_size),
    }


AXES: dict[str, tuple[str, ...]] = {
    "embeddings.weight": ("vocab", "hidden"),
    "lm_head.weight": ("vocab", "hidden"),
    "norm_f.weight": ("hidden",),
    "mixer.norm.weight": ("inner",),
    "norm.weight": ("hidden",),
    "in_proj.weight": ("in", "hidden"),
    "conv1d.weight": ("conv",),
    "conv1d.bias": ("conv",),
    "dt_bias": ("heads",),
    "A_log": ("heads",),
    "mixer.D": ("heads",),
    "out_proj.weight": ("hidden", "inner"),
    "q_proj.weight": ("query", "hidden"),
    "k_proj.weight": ("shared", "hidden"),
    "v_proj.weight": ("shared", "hidden"),
    "o_proj.weight": ("hidden", "query"),
    "up_proj.weight": ("up", "hidden"),
    "down_proj.weight": ("hidden", "up"),
}
"""The axes of each parameter by the end of its name; the first that fits counts."""


@torch.no_grad()
def grow(model: HybridLM, config: ModelConfig, seed: int = 1) -> HybridLM:
    """A model of `config` with the same logits as `model`, up to the norms' epsilon; raises ConfigError where one can't grow into the other."""
    check(model.config, config)
    torch.manual_seed(seed)
    wider = HybridLM(config)
    where = positions(model.config, config)
    sizes = {"hidden": (model.config.hidden_size, config.hidden_size), "inner": (model.config.inner_size, config.inner_size)}
    old = dict(model.named_parameters())
    for name, parameter in wider.named_parameters():
        axes = next(axes for ending, axes in AXES.items() if name.endswith(ending))
        rows = where[axes[0]]
        if name.endswith(("norm.weight", "norm_f.weight")):
            before, after = sizes[axes[0]]
            parameter[rows] = old[name] * math.sqrt(before / after)  # the mean square is over `after` channels now
            continue
        if name.endswith("in_proj.weight"):
            parameter[model.config.inner_size : config.inner_size] = 0  # z of new heads: their gate is shut
        if len(axes) == 1:
            parameter[rows] = old[name]
            continue
        columns = where[axes[1]]
        if axes == ("hidden", "inner"):  # nothing writes to the new channels; what new heads give is zero before it
            parameter[model.config.hidden_size :] = 0
        elif axes[0] in ("hidden", "vocab"):  # nothing writes to the new channels, and nothing listens to what is new
            parameter[:] = 0
        parameter[rows[:, None], columns] = old[name]
    return wider


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--preset", required=True)
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder to write")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        model = load_pretrained(options.source)
        config = preset(options.preset, model.config.vocab_size)
        wider = grow(model, replace(config, chunk_size=model.config.chunk_size), options.seed)
    except (ConfigError, CheckpointError) as error:
        raise SystemExit(f"error: {error}") from error
    raw = json.loads((options.source / "config.json").read_text())
    special = {name: raw[name] for name in ("eos_token_id", "pad_token_id", "bos_token_id")}
    path = options.source / "provenance.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    save_pretrained(wider, options.out, special, {**before, "grown_to": options.preset, "parameters": wider.parameter_count})
    print(f"{model.parameter_count:,} -> {wider.parameter_count:,} parameters in {options.out}")


if __name__ == "__main__":
    main()
