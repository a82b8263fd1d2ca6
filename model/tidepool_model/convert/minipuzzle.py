"""Prunes a hybrid under a budget of bytes, as MiniPuzzle does (Nemotron-H, arXiv 2504.03624, section 3): rank, combine, rank again.

    python -m tidepool_model.convert.minipuzzle --from CHECKPOINT --tokens data/sft.tokens.bin --out FOLDER

1. A layer's importance is how far the output before the head moves without it (mean squared error over 128 samples); a unit's
   of the MLPs, its mean activation.
2. Every count of attention, Mamba and MLP layers with every MLP width is a candidate, the least important of each kind dropped.
   It must fit the budget: weights at one byte a value, state and KV cache in float32 at `--context` tokens.
3. Candidates are ranked by how often their best token is the parent's, the best of them again on more text by KL from the
   parent. FOLDER gets the finalists as checkpoints and `table.json`; each is then taught for a little by
   `training.train --teacher`, which changes their order: that is why there are three.

Mamba heads and channels stay whole: the paper tried to prune them, and rejected it.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..architecture.config import ConfigError, ModelConfig
from ..architecture.model import CheckpointError, HybridLM, load_pretrained, save_pretrained
from .upcycle import mlp_inputs, read_rows

KINDS = "M*-"
SAMPLES = 128


@dataclass(frozen=True)
class Candidate:
    """Which layers of the parent stay, and how many units of each MLP."""

    layers: tuple[int, ...]
    units: int

    def config(self, parent: ModelConfig) -> ModelConfig:
        return replace(parent, pattern="".join(parent.pattern[i] for i in self.layers), intermediate_size=self.units)


@torch.no_grad()
def hidden_without(model: HybridLM, rows: Tensor, left_out: int | None = None) -> Tensor:
    """Output before the head (rows, length, hidden), with one layer left out."""
    x = model.model.embeddings(rows)
    for index, layer in enumerate(model.model.layers):
        if index != left_out:
            x, _ = layer(x, None, None, None, False)
    return model.model.norm_f(x)


def layer_importance(model: HybridLM, rows: Tensor) -> list[float]:
    """Mean squared error before the head that leaving each layer out makes."""
    whole = hidden_without(model, rows)
    return [float((hidden_without(model, rows, index) - whole).square().mean()) for index in range(len(model.model.layers))]


@torch.no_grad()
def unit_order(model: HybridLM, rows: Tensor) -> dict[int, Tensor]:
    """The units of each MLP by its layer, most important first: mean over a sample's tokens, then root of squares over samples."""
    found = {}
    for index, x in mlp_inputs(model, rows).items():
        active = torch.relu(model.model.layers[index].mixer.up_proj(x)).square().unflatten(0, (len(rows), -1))  # (rows, length, units)
        found[index] = active.mean(1).square().sum(0).argsort(descending=True)
    return found


def bytes_at(config: ModelConfig, parameters: int, context: int) -> int:
    """Weights at a byte a value, plus float32 state and KV cache after `context` tokens."""
    kinds = Counter(config.pattern)
    state = config.mamba_num_heads * config.mamba_head_dim * config.ssm_state_size + config.conv_dim * (config.conv_kernel - 1)
    cache = 2 * config.num_key_value_heads * config.head_dim * context
    return parameters + 4 * (kinds["M"] * state + kinds["*"] * cache)


def candidates(parent: ModelConfig, importance: list[float], widths: list[int]) -> Iterator[Candidate]:
    """Every count of each kind of layer, at least one of each, with every width; the least important are dropped first."""
    by_kind = {kind: sorted((i for i, k in enumerate(parent.pattern) if k == kind), key=lambda i: -importance[i]) for kind in KINDS}
    counts = (range(1, len(by_kind[kind]) + 1) for kind in KINDS)
    for *kept, units in itertools.product(*counts, widths):
        layers = [i for kind, count in zip(KINDS, kept, strict=True) for i in by_kind[kind][:count]]
        yield Candidate(tuple(sorted(layers)), units)


@torch.no_grad()
def cut(model: HybridLM, candidate: Candidate, order: dict[int, Tensor]) -> HybridLM:
    """The parent without the candidate's dropped layers and units."""
    made = HybridLM(candidate.config(model.config))
    state, old = made.state_dict(), model.state_dict()
    for name, value in state.items():
        parts = name.split(".")
        if parts[1] != "layers":
            value.copy_(old[name])
            continue
        index = candidate.layers[int(parts[2])]
        source = old[".".join([*parts[:2], str(index), *parts[3:]])]
        if model.config.pattern[index] == "-" and "_proj" in name:
            units = order[index][: candidate.units].sort().values
            source = source[units] if "up_proj" in name else source[:, units]
        value.copy_(source)
    return made.eval()


@torch.no_grad()
def chances(model: HybridLM, rows: Tensor) -> Tensor:
    """Log chances of the next token (rows, length, vocab)."""
    return torch.cat([model.logits(model.model(piece)[0]).log_softmax(-1) for piece in rows.split(8)])


def against_parent(model: HybridLM, rows: Tensor, parent: Tensor) -> tuple[float, float]:
    """Share of best tokens that are the parent's, and mean KL from its `chances`, in nats."""
    got = chances(model, rows)
    same = (parent.argmax(-1) == got.argmax(-1)).float().mean()
    return float(same), float((parent.exp() * (parent - got)).sum(-1).mean())


def search(model: HybridLM, rows: Tensor, budget: float, context: int, widths: list[int], second: int = 12) -> tuple[list[Candidate], dict, dict[int, Tensor]]:
    """Candidates that fit `budget` (share of the parent's bytes), best first after both rankings; the table; the units' order."""
    samples = rows[:SAMPLES, : rows.shape[1] // 8]
    few, more = samples[::4], rows[:: max(1, len(rows) // 16), : rows.shape[1] // 2]
    importance, order = layer_importance(model, samples), unit_order(model, samples)
    limit = budget * bytes_at(model.config, model.parameter_count, context)
    aim, fitting = chances(model, few), []
    for candidate in candidates(model.config, importance, widths):
        made = cut(model, candidate, order)
        size = bytes_at(made.config, made.parameter_count, context)
        if size <= limit:
            fitting.append((against_parent(made, few, aim)[0], candidate, size))
    if not fitting:
        raise ConfigError(f"no candidate fits {limit:.0f} bytes; raise --budget (now {budget})")
    fitting.sort(key=lambda found: -found[0])
    aim, again = chances(model, more), []
    for first, (agreement, candidate, size) in enumerate(fitting[:second]):
        same, divergence = against_parent(cut(model, candidate, order), more, aim)
        again.append((divergence, candidate, {"pattern": candidate.config(model.config).pattern, "layers": candidate.layers, "units": candidate.units, "bytes": size, "rankBefore": first + 1, "agreement": round(same, 4), "kl": round(divergence, 4)}))
    again.sort(key=lambda found: found[0])
    lines = [line | {"rankAfter": rank + 1} for rank, (_, _, line) in enumerate(again)]
    table = {
        "parent": model.config.pattern, "parentBytes": bytes_at(model.config, model.parameter_count, context), "context": context,
        "budget": round(limit), "importance": [round(value, 5) for value in importance], "fitting": len(fitting), "candidates": lines,
    }  # fmt: skip
    return [candidate for _, candidate, _ in again], table, order


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=Path, required=True, help="checkpoint folder of the parent")
    parser.add_argument("--tokens", type=Path, required=True, help="packed tokens to measure on")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--budget", type=float, default=0.8, help="share of the parent's bytes")
    parser.add_argument("--context", type=int, default=4096, help="tokens in the cache that the bytes count")
    parser.add_argument("--widths", type=int, nargs="+", default=[576, 448])
    parser.add_argument("--finalists", type=int, default=3)
    options = parser.parse_args()
    try:
        model = load_pretrained(options.source).eval()
        best, table, order = search(model, read_rows(options.tokens, SAMPLES), options.budget, options.context, options.widths)
    except (ConfigError, CheckpointError) as error:
        raise SystemExit(f"error: {error}") from error
    raw = json.loads((options.source / "config.json").read_text())
    special = {name: raw[name] for name in ("eos_token_id", "pad_token_id", "bos_token_id")}
    for rank, candidate in enumerate(best[: options.finalists], 1):
        made = cut(model, candidate, order)
        save_pretrained(made, options.out / f"finalist-{rank}", special, {"pruned_to": made.config.pattern, "parameters": made.parameter_count})
    (options.out / "table.json").write_text(json.dumps(table, indent=1) + "\n")
    print("importance  " + "  ".join(f"{letter}{value:.3f}" for letter, value in zip(table["parent"], table["importance"], strict=True)))
    print(f"{table['fitting']} candidates of at most {table['budget']:,} bytes (parent {table['parentBytes']:,}, {table['context']} tokens)")
    for line in table["candidates"]:
        print(f"{line['rankBefore']:3} -> {line['rankAfter']:2}  {line['pattern']:<14} {line['units']:4}  {line['bytes']:>9,}  {line['agreement']:.3f}  KL {line['kl']:.3f}")


if __name__ == "__main__":
    main()
