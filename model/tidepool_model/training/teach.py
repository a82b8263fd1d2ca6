"""Teaches a hybrid end to end: cross-entropy on what it is taught, KL to its base model on ordinary chat and text.

    python -m tidepool_model.training.teach CHECKPOINT --base base.pt --data DIR --plain plain.npy --run DIR --steps 300

The forward pass sees every matrix on its 4-bit grid, the gradient goes to the unrounded one (straight-through). The base
model reads the same replies in its own chat form; rows of plain text are read by both as they are. Resumes from DIR/teach.pt.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.multiprocessing as multiprocessing
import torch.nn.functional as F
from torch import Tensor

from ..architecture.grid import on_grid
from ..architecture.hybrid_checkpoint import load_base, read_hybrid, write_hybrid
from ..architecture.hybrid_llama import HybridLlama
from ..architecture.model import document_mask
from .team import Member, Team, pin, restore, save, share

ROW = 512
BASE_ROW = 640  # the base model's chat form is a little longer
PAD = 1


def documents(archive: np.lib.npyio.NpzFile, values: str, offsets: str) -> list[np.ndarray]:
    at = archive[offsets]
    whole = archive[values]
    return [whole[a:b] for a, b in zip(at[:-1], at[1:], strict=True)]


@dataclass
class TaughtRow:
    tokens: Tensor  # (1, ROW)
    targets: Tensor  # (1, ROW), -100 where nothing counts
    starts: Tensor  # (1, ROW) bool


@dataclass
class KeptRow:
    tokens: Tensor  # (1, ROW)
    starts: Tensor
    at: Tensor  # (n,) positions whose next token is the reply's
    base_tokens: Tensor  # (1, BASE_ROW)
    base_starts: Tensor
    base_at: Tensor  # (n,)


class Rows:
    """Packed rows of this process, drawn without end in its own order."""

    def __init__(self, data: Path, plain: Path, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        taught = np.load(data / "taught.npz")
        self.ids, self.masks = documents(taught, "ids", "offsets"), documents(taught, "masks", "offsets")
        kept = np.load(data / "kept.npz")
        self.kept = list(zip(*(documents(kept, f"{part}_values", f"{part}_offsets") for part in ("ours", "base", "reply")), strict=True))
        self.plain = np.load(plain, mmap_mode="r")
        self.orders: dict[str, list[int]] = {"taught": [], "kept": []}

    def draw(self, name: str, size: int) -> int:
        order = self.orders[name]
        if not order:
            order.extend(self.random.permutation(size).tolist())
        return order.pop()

    def taught_row(self) -> TaughtRow:
        tokens, targets = np.full(ROW + 1, PAD), np.full(ROW + 1, -100)
        starts = np.zeros(ROW, bool)
        at = 0
        while True:
            index = self.draw("taught", len(self.ids))
            ids, mask = self.ids[index].astype(np.int64), self.masks[index]
            if at + len(ids) > ROW:
                if at < ROW - 150:
                    continue  # room for a shorter one
                break
            tokens[at : at + len(ids)] = ids
            targets[at : at + len(ids)] = np.where(mask == 1, ids, -100)
            targets[at] = -100
            starts[at] = True
            at += len(ids)
        if at < ROW:
            starts[at] = True
        return TaughtRow(_row(tokens[:ROW]), _row(targets[1:]), torch.from_numpy(starts)[None])

    def kept_row(self) -> KeptRow:
        tokens, base = np.full(ROW, PAD), np.full(BASE_ROW, PAD)
        starts, base_starts = np.zeros(ROW, bool), np.zeros(BASE_ROW, bool)
        where, base_where = [], []
        at = base_at = 0
        for _ in range(40):
            ours, bases, reply = self.kept[self.draw("kept", len(self.kept))]
            if at + len(ours) + len(reply) > ROW or base_at + len(bases) + len(reply) > BASE_ROW:
                if at > ROW - 120:
                    break
                continue
            for row, mark, prompt, start, found in ((tokens, starts, ours, at, where), (base, base_starts, bases, base_at, base_where)):
                mark[start] = True
                row[start : start + len(prompt)] = prompt
                row[start + len(prompt) : start + len(prompt) + len(reply)] = reply
                found.extend(range(start + len(prompt) - 1, start + len(prompt) + len(reply) - 1))
            at += len(ours) + len(reply)
            base_at += len(bases) + len(reply)
        if at < ROW:
            starts[at] = True
        if base_at < BASE_ROW:
            base_starts[base_at] = True
        return KeptRow(_row(tokens), torch.from_numpy(starts)[None], torch.tensor(where), _row(base), torch.from_numpy(base_starts)[None], torch.tensor(base_where))

    def plain_row(self) -> Tensor:
        return _row(self.plain[self.random.integers(len(self.plain))][:ROW])


def _row(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values.astype(np.int64))[None]


def divergence(model: HybridLlama, hidden: Tensor, base: HybridLlama, base_hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Sum over positions (n, hidden) of KL(base || model) in nats, and how often both would say the same token."""
    logits = model.logits(hidden).float()
    wanted = base.logits(base_hidden).float()
    wanted[:, 4:10] = -torch.inf  # control tokens that the base model never had
    target = wanted.softmax(-1)
    kl = F.cross_entropy(logits, target, reduction="sum") + torch.special.xlogy(target, target).sum()
    return kl, (logits.argmax(-1) == wanted.argmax(-1)).sum().detach()


def work(rank: int, team: Team, model: HybridLlama, base: HybridLlama, args: argparse.Namespace, scales: dict[str, Tensor]) -> None:
    pin(rank)
    torch._dynamo.config.cache_size_limit = 128
    torch.manual_seed(args.seed * 100 + rank)
    member = Member(team, rank, list(model.named_parameters()))
    start = int(team.steps[0])
    rows = Rows(Path(args.data), Path(args.plain), args.seed * 1000 + rank * 17 + start * 31)
    if args.compile:
        for layer in [*model.layers, *base.layers]:
            layer.compile()
    began, tokens = time.time(), 0.0
    minutes = lambda: (time.time() - began) / 60
    finish = args.finish_minutes
    for step in range(start, args.steps):
        done = step / args.steps
        if finish and rank == 0:
            done = max(done, args.done_before + (1 - args.done_before) * minutes() / finish)
        shares = np.array([0.45, 0.33, 0.22] if done < 0.15 else [0.74, 0.17, 0.09])
        for _ in member.rows(args.share):
            kind = rows.random.choice(3, p=shares)
            if kind == 0:
                row = rows.taught_row()
                hidden, _ = model.hidden(row.tokens, row.starts, document_mask(row.starts))
                chosen = row.targets != -100
                logits = model.logits(hidden[chosen]).float()
                loss = F.cross_entropy(logits, row.targets[chosen], reduction="sum")
                loss.backward()
                count = int(chosen.sum())
                member.add(count, [float(loss.detach()), count, 0, 0, 0, ROW])
            else:
                if kind == 1:
                    kept = rows.kept_row()
                    with torch.no_grad():
                        wanted, _ = base.hidden(kept.base_tokens, kept.base_starts, document_mask(kept.base_starts))
                    hidden, _ = model.hidden(kept.tokens, kept.starts, document_mask(kept.starts))
                    ours, theirs = hidden[0, kept.at], wanted[0, kept.base_at]
                else:
                    plain = rows.plain_row()
                    starts = torch.zeros_like(plain, dtype=torch.bool)
                    starts[:, 0] = True
                    mask = document_mask(starts)
                    at = torch.from_numpy(np.sort(rows.random.choice(ROW, 192, replace=False)))
                    with torch.no_grad():
                        wanted, _ = base.hidden(plain, starts, mask)
                    hidden, _ = model.hidden(plain, starts, mask)
                    ours, theirs = hidden[0, at], wanted[0, at]
                kl, same = divergence(model, ours, base, theirs)
                (args.kl_weight * kl).backward()
                member.add(args.kl_weight * len(ours), [0, 0, float(kl.detach()), len(ours), float(same), ROW])
        done_rate = max(0.0, 1 - done)
        rate = args.rate * min(1.0, (step + 1 - args.warm_from) / args.warmup if args.warmup else 1.0) * (done_rate if not args.constant else 1.0)
        ce, ce_count, kl, kl_count, same, read, norm, weight = member.step(rate)
        tokens += read * weight
        ending = finish > 0 and minutes() > finish
        if rank == 0:
            if step % 5 == 0 or step == args.steps - 1 or ending:
                print(json.dumps({"step": step, "ce": round(ce / max(ce_count, 1e-9), 4), "kl": round(kl / max(kl_count, 1e-9), 4), "same": round(same / max(kl_count, 1e-9), 3), "norm": round(norm, 3), "rate": round(rate, 7), "tokens": int(tokens), "perSecond": round(tokens / (time.time() - began)), "minutes": round(minutes(), 1)}), flush=True)
            if step % args.keep == args.keep - 1 or step == args.steps - 1 or ending:
                save(team, Path(args.run) / "teach.pt", {})
                named = {p.name: p.master for p in team.parameters}
                write_hybrid(Path(args.run) / "checkpoint", model.config, named, scales, Path(args.checkpoint) / "tokenizer.json")
            team.flag[0] = -2 if ending else team.flag[0]
        team.barrier.wait()
        if int(team.flag[0]) == -2:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("--base", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--plain", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--share", type=int, default=4, help="rows that process 0 does a step")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--warmup", type=int, default=15)
    parser.add_argument("--warm-from", type=int, default=0)
    parser.add_argument("--constant", action="store_true")
    parser.add_argument("--finish-minutes", type=float, default=0, help="ends, decayed, after so many minutes")
    parser.add_argument("--done-before", type=float, default=0, help="share of the schedule that a stopped run had done")
    parser.add_argument("--kl-weight", type=float, default=1.0)
    parser.add_argument("--keep", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(2)
    multiprocessing.set_sharing_strategy("file_system")
    model, scales = read_hybrid(Path(args.checkpoint))
    base = load_base(Path(args.base))
    base.share_memory()
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
        6,
        rate=rate_of,
        rounding=lambda name, tensor: OnGrid(scales[name]) if name in scales else None,
    )
    kept = Path(args.run) / "teach.pt"
    if kept.exists():
        restore(team, kept)
    multiprocessing.spawn(work, (team, model, base, args, scales), nprocs=args.processes)


@dataclass
class OnGrid:
    """Rounds a master to its grid; can be handed to another process."""

    scale: Tensor

    def __call__(self, master: Tensor) -> Tensor:
        return on_grid(master, self.scale)


if __name__ == "__main__":
    main()
