"""Teaches a hybrid end to end: cross-entropy on what it is taught, KL to its base model on ordinary chat and text.

    python -m tidepool_model.training.teach CHECKPOINT --base base.pt --data DIR --plain plain.npy --run DIR --steps 300

The forward pass sees every matrix on its 4-bit grid, the gradient goes to the unrounded one (straight-through). The base
model reads the same replies in its own chat form; rows of text are read by both as they are, a few of them 2,048 tokens long
with a name to recall. Ctrl-C or SIGTERM saves and stops after the step that is under way; the same command goes on from
DIR/teach.pt.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.multiprocessing as multiprocessing
import torch.nn.functional as F
from torch import Tensor

from ..architecture.grid import dithered, on_grid
from ..architecture.hybrid_checkpoint import load_base, read_hybrid, write_hybrid
from ..architecture.hybrid_llama import HybridLlama
from ..architecture.model import document_mask
from ..data.lagoon.taught_rows import UNTRAINED, ComparedRow, Rows, TaughtRow
from .compiling import use_narrow_vectors
from .team import Member, Team, pin, restore, save, share

KINDS = ("taught", "kept", "text", "far")
HEALING_SHARES = (0.44, 0.33, 0.20, 0.03)
SHARES = (0.80, 0.10, 0.07, 0.03)
STOP = -2  # what the team's flag says when a run is to end


def divergence(model: HybridLlama, hidden: Tensor, base: HybridLlama, base_hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Sum over positions (n, hidden) of KL(base || model) in nats, and how often both would say the same token."""
    logits = model.logits(hidden).float()
    wanted = base.logits(base_hidden).float()
    wanted[:, 4:10] = -torch.inf  # control tokens that the base model never had
    target = wanted.softmax(-1)
    kl = F.cross_entropy(logits, target, reduction="sum") + torch.special.xlogy(target, target).sum()
    return kl, (logits.argmax(-1) == wanted.argmax(-1)).sum().detach()


@dataclass
class Counts:
    """What a step adds up, in the order in which the team sums it."""

    ce: float = 0.0
    ce_tokens: float = 0.0
    kl: float = 0.0
    kl_tokens: float = 0.0
    same: float = 0.0
    tokens: float = 0.0

    def values(self) -> list[float]:
        return [self.ce, self.ce_tokens, self.kl, self.kl_tokens, self.same, self.tokens]


@dataclass
class Schedule:
    """Linear rise over `warmup` steps of this start, then linear fall to zero at the end of steps or of the minutes."""

    args: argparse.Namespace
    start: int
    began: float

    def minutes(self) -> float:
        return (time.time() - self.began) / 60

    def done(self, step: int) -> float:
        """Share of the run that is over."""
        done = step / self.args.steps
        if self.args.finish_minutes:
            done = max(done, self.args.done_before + (1 - self.args.done_before) * self.minutes() / self.args.finish_minutes)
        return min(1.0, done)

    def rate(self, step: int) -> float:
        rise = min(1.0, (step + 1 - self.start) / self.args.warmup) if self.args.warmup else 1.0
        return self.args.rate * rise * (1 - self.done(step))

    def is_over(self) -> bool:
        return self.args.finish_minutes > 0 and self.minutes() > self.args.finish_minutes


class Teacher:
    """One process: takes rows, adds their gradients."""

    def __init__(self, model: HybridLlama, base: HybridLlama, rows: Rows, kl_weight: float) -> None:
        self.model, self.base, self.rows, self.kl_weight = model, base, rows, kl_weight

    def row(self, kind: str) -> tuple[float, Counts]:
        """Adds one row's gradients; its weight in the step and what it counted."""
        if kind == "taught":
            return self.taught(self.rows.taught())
        if kind == "kept":
            return self.compared(self.rows.kept_replies())
        return self.compared(self.rows.text() if kind == "text" else self.rows.far())

    def taught(self, row: TaughtRow) -> tuple[float, Counts]:
        hidden, _ = self.model.hidden(row.tokens, row.starts, document_mask(row.starts))
        chosen = row.targets != UNTRAINED
        loss = F.cross_entropy(self.model.logits(hidden[chosen]).float(), row.targets[chosen], reduction="sum")
        loss.backward()
        count = int(chosen.sum())
        return count, Counts(ce=float(loss.detach()), ce_tokens=count, tokens=row.tokens.numel())

    def compared(self, row: ComparedRow) -> tuple[float, Counts]:
        with torch.no_grad():
            wanted, _ = self.base.hidden(row.base_tokens, row.base_starts, document_mask(row.base_starts))
        hidden, _ = self.model.hidden(row.tokens, row.starts, document_mask(row.starts))
        kl, same = divergence(self.model, hidden[0, row.at], self.base, wanted[0, row.base_at])
        (self.kl_weight * kl).backward()
        count = len(row.at)
        return self.kl_weight * count, Counts(kl=float(kl.detach()), kl_tokens=count, same=float(same), tokens=row.tokens.numel())


def work(rank: int, team: Team, model: HybridLlama, base: HybridLlama, args: argparse.Namespace, scales: dict[str, Tensor]) -> None:
    """One process of a run."""
    pin(rank)
    torch._dynamo.config.cache_size_limit = 128
    torch.manual_seed(args.seed * 100 + rank)
    asked: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, frame: asked.append(number))
    member = Member(team, rank, list(model.named_parameters()))
    start = int(team.steps[0])
    tokenizer = Path(args.checkpoint) / "tokenizer.json"
    rows = Rows(Path(args.data), Path(args.plain), tokenizer, args.seed * 1000 + rank * 17 + start * 31)
    if args.compile:
        use_narrow_vectors()
        for layer in [*model.layers, *base.layers]:
            layer.compile(dynamic=False)  # four lengths of rows; one kernel for all of them took five minutes to make
    teacher = Teacher(model, base, rows, args.kl_weight)
    schedule = Schedule(args, start, time.time())
    read = 0.0
    seen: Counter[str] = Counter()
    for step in range(start, args.steps):
        shares = np.array(HEALING_SHARES if schedule.done(step) < args.healing else SHARES)
        for _ in member.rows(args.share):
            kind = KINDS[rows.random.choice(len(KINDS), p=shares)]
            weight, counts = teacher.row(kind)
            member.add(weight, counts.values())
            seen[kind] += 1
        rate = schedule.rate(step)
        *sums, norm, weight = member.step(rate)
        total = Counts(*(value * weight for value in sums))
        read += total.tokens
        is_last = step == args.steps - 1 or schedule.is_over() or bool(asked)
        if rank == 0:
            if step % 5 == 0 or is_last:
                mean = lambda value, count: round(value / max(count, 1e-9), 4)
                line = {"step": step, "ce": mean(total.ce, total.ce_tokens), "kl": mean(total.kl, total.kl_tokens), "same": mean(total.same, total.kl_tokens)}
                line |= {"norm": round(norm, 3), "rate": round(rate, 7), "tokens": int(read), "perSecond": round(read / (time.time() - schedule.began)), "minutes": round(schedule.minutes(), 1)}
                print(json.dumps(line | {"rows": dict(seen)}), flush=True)
            if step % args.keep == args.keep - 1 or is_last:
                keep(team, model, args, scales)
            if is_last:
                team.flag[0] = STOP
        team.barrier.wait()  # type: ignore[attr-defined]
        if int(team.flag[0]) == STOP:
            return


def keep(team: Team, model: HybridLlama, args: argparse.Namespace, scales: dict[str, Tensor]) -> None:
    """Writes the run's state and its checkpoint."""
    save(team, Path(args.run) / "teach.pt", {})
    named = {p.name: p.master for p in team.parameters}
    write_hybrid(Path(args.run) / "checkpoint", model.config, named, scales, Path(args.checkpoint) / "tokenizer.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="folder that calibrate_hybrid or export/unpack_hybrid wrote: its grid is what is taught on")
    parser.add_argument("--base", required=True)
    parser.add_argument("--data", required=True, help="folder that data.lagoon.mix wrote")
    parser.add_argument("--plain", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--steps", type=int, default=400, help="of the whole run, those before a stop included")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--share", type=int, default=4, help="rows that process 0 does a step")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--warmup", type=int, default=15, help="steps after each start in which the rate rises")
    parser.add_argument("--finish-minutes", type=float, default=0, help="ends, decayed, after so many minutes")
    parser.add_argument("--done-before", type=float, default=0, help="share of the schedule that a stopped run had done")
    parser.add_argument("--healing", type=float, default=0.15, help="share of the run in which more rows hold the model to its base; 0 to teach on")
    parser.add_argument("--kl-weight", type=float, default=1.0)
    parser.add_argument("--keep", type=int, default=20, help="steps between two writings of the checkpoint")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dither", type=float, default=0, help="share of a step of the grid over which a start's weights are spread, 0 to 1 (0.9 to teach on from a packed model)")
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(2)
    multiprocessing.set_sharing_strategy("file_system")
    model, scales = read_hybrid(Path(args.checkpoint))
    base = load_base(Path(args.base))
    base.share_memory()
    if args.dither:
        generator = torch.Generator().manual_seed(args.seed)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name in scales:
                    parameter.copy_(dithered(parameter, scales[name], args.dither, generator))
    Path(args.run).mkdir(parents=True, exist_ok=True)
    mamba = {index for index, letter in enumerate(model.config.pattern) if letter == "M"}

    def rate_of(name: str) -> float:
        """Mixers are far from where they will end, so they go twice as fast; the embedding half as fast."""
        parts = name.split(".")
        if parts[0] == "layers" and int(parts[1]) in mamba and parts[2] == "mixer":
            return 2.0
        return 0.5 if parts[0] == "embed_tokens" else 1.0

    team = share(
        list(model.named_parameters()),
        args.processes,
        len(Counts().values()),
        rate=rate_of,
        rounding=lambda name, tensor: OnGrid(scales[name]) if name in scales else None,
    )
    kept = Path(args.run) / "teach.pt"
    if kept.exists():
        restore(team, kept)
    for name in (signal.SIGTERM, signal.SIGINT):  # the processes save; this one waits for them
        signal.signal(name, lambda number, frame: [process.terminate() for process in multiprocessing.active_children()])
    multiprocessing.spawn(work, (team, model, base, args, scales), nprocs=args.processes)


@dataclass
class OnGrid:
    """Rounds a master to its grid; can be handed to another process."""

    scale: Tensor

    def __call__(self, master: Tensor) -> Tensor:
        return on_grid(master, self.scale)


if __name__ == "__main__":
    main()
