"""Distils Mamba-2 mixers into a Llama, block by block: each is regressed on its own block's attention output.

    python -m tidepool_model.training.distil --base GGUF --rows plain.npy:0.7 chat.npy:0.3 --run DIR --steps 400

The unchanged model (the teacher) runs once a row; each mixer sees what its block's attention saw and is to say what that
said. A token's error is weighted by one over the mean square of the residual stream that it is added to. Resumes from
DIR/layerwise.pt. Figures: mean relative error of the mixers' outputs.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.multiprocessing as multiprocessing
from torch import Tensor, nn

from ..architecture.hybrid_checkpoint import load_base
from ..architecture.hybrid_llama import HeadwiseMamba2, HybridBlock, HybridLlama, rotary_tables
from ..convert.hybridise import fit_norm, mixer_from_attention, pattern_of
from .compiling import use_narrow_vectors
from .team import Member, Team, pin, restore, save, share

# By the damage to the logits (KL) when one block alone is replaced, cheapest first; measured on 2026-11-28 on 12 rows of 512.
CHEAPEST_FIRST = (29, 28, 6, 7, 27, 25, 5, 12, 22, 26, 9, 13, 11, 19, 21, 15, 4, 10, 24, 16, 14, 17, 8, 20, 18, 2, 3, 23, 0, 1)


def attention_step(layer: HybridBlock, x: Tensor, rotary: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """One teacher block: what the mixer sees (batch, seq, hidden), what attention says, and the next residual stream."""
    u = layer.input_layernorm(x)
    said, _ = layer.mixer(u, rotary, None, None, None, False)
    x = x + said
    return u, said, x + layer.mlp(layer.post_attention_layernorm(x))


def mixer_loss(mixer: HeadwiseMamba2, u: Tensor, said: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Sum over tokens of the weighted squared error, and the batch's relative error."""
    y, _ = mixer(u, (u, u), None, None, None, False)
    error = (y - said.float()).square().sum(-1)  # (batch, seq)
    loss = (error / x.square().mean(-1).clamp_min(1e-6)).sum() / x.shape[-1]
    return loss, (error.sum() / said.float().square().sum()).detach()


def rate_at(step: int, steps: int, peak: float, floor: float, warmup: int = 20) -> float:
    """Warm-up, then from peak to floor along half a cosine."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return floor + (peak - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


class RowSource:
    """Rows drawn from several files by weight, each file read on from a seeded permutation."""

    def __init__(self, files: list[str], seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.arrays, weights = [], []
        for named in files:
            path, _, weight = named.partition(":")
            self.arrays.append(np.load(path, mmap_mode="r"))
            weights.append(float(weight or 1))
        self.weights = np.array(weights) / sum(weights)

    def take(self, rows: int) -> Tensor:
        picked = [self.arrays[self.random.choice(len(self.arrays), p=self.weights)] for _ in range(rows)]
        return torch.from_numpy(np.stack([a[self.random.integers(len(a))] for a in picked])[:, :-1].astype(np.int64))


def work(rank: int, team: Team, teacher: HybridLlama, mixers: nn.ModuleDict, args: argparse.Namespace) -> None:
    pin(rank)
    torch.manual_seed(args.seed * 100 + rank)
    member = Member(team, rank, list(mixers.named_parameters()))
    source = RowSource(args.rows, args.seed * 1000 + rank + 7919 * int(team.steps[0]))
    config = teacher.config
    cos, sin = rotary_tables(512, config.head_dim, config.rope_theta)
    if args.compile:
        use_narrow_vectors()
    teacher_step = torch.compile(attention_step) if args.compile else attention_step
    loss_of = torch.compile(mixer_loss) if args.compile else mixer_loss
    began, tokens, start = time.time(), 0.0, int(team.steps[0])
    for step in range(start, args.steps):
        for _ in member.rows(args.share):
            rows = source.take(args.micro)
            x = teacher.embed_tokens(rows).float()
            relative = 0.0
            for index, layer in enumerate(teacher.layers):
                with torch.no_grad():
                    u, said, after = teacher_step(layer, x, (cos, sin))
                if str(index) in mixers:
                    loss, error = loss_of(mixers[str(index)], u.detach(), said.detach(), x)
                    loss.backward()
                    relative += float(error)
                x = after
            member.add(rows.numel(), [relative / len(mixers) * rows.numel()])
        error, norm, weight = member.step(rate_at(step, args.steps, args.rate, args.floor))
        tokens += weight
        if rank == 0:
            if step % 5 == 0 or step == args.steps - 1:
                print(json.dumps({"step": step, "error": round(error, 4), "norm": round(norm, 3), "tokens": int(tokens), "perSecond": round(tokens / (time.time() - began)), "minutes": round((time.time() - began) / 60, 1)}), flush=True)
            if step % args.keep == args.keep - 1 or step == args.steps - 1:
                save(team, Path(args.run) / "layerwise.pt", {"pattern": args.pattern})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="a state dict of the base model with the kept vocabulary (torch.save)")
    parser.add_argument("--rows", nargs="+", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--mamba", type=int, default=15)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--micro", type=int, default=2, help="rows at once")
    parser.add_argument("--share", type=int, default=1, help="times --micro rows that process 0 does a step")
    parser.add_argument("--rate", type=float, default=12e-3)
    parser.add_argument("--floor", type=float, default=5e-4)
    parser.add_argument("--keep", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(2)
    teacher = load_base(Path(args.base))
    config = teacher.config
    chosen = sorted(CHEAPEST_FIRST[: args.mamba])
    args.pattern = pattern_of(chosen, 30)
    mixers = nn.ModuleDict()
    rows = RowSource(args.rows, 0).take(4)
    rotary = rotary_tables(512, config.head_dim, config.rope_theta)
    with torch.no_grad():
        x = teacher.embed_tokens(rows).float()
        for index, layer in enumerate(teacher.layers):
            u, _, after = attention_step(layer, x, rotary)
            if index in chosen:
                mixer = mixer_from_attention(layer.mixer)
                fit_norm(mixer, layer.mixer, u, rotary)
                mixers[str(index)] = mixer
            x = after
    Path(args.run).mkdir(parents=True, exist_ok=True)
    teacher.share_memory()
    team = share(list(mixers.named_parameters()), args.processes, 1)
    kept = Path(args.run) / "layerwise.pt"
    if kept.exists():
        restore(team, kept)
    multiprocessing.spawn(work, (team, teacher, mixers, args), nprocs=args.processes)


if __name__ == "__main__":
    main()
