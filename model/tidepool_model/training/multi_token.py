"""Trains the module of multi-token prediction on a frozen backbone; resumes after a stop at any point.

    python -m tidepool_model.training.multi_token --parent CHECKPOINT --data DIR --run DIR --minutes 11

The module is taught what the backbone itself would say (forward KL to its distribution at the token in question, as in
Ultra's "boosting"; `--labels` teaches the data's tokens instead), where fine-tuning counts a token, over `--depths` depths
with one shared module, each depth alike. Its drafts are then checked by that same backbone. The run ends by training time,
fully decayed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ..architecture.model import CheckpointError, HybridLM, document_mask, load_pretrained
from ..architecture.multi_token import MultiTokenModule, depths, module_config, save_module
from ..data.packing import IGNORED, Batch, DataError, PackedStage
from .optimiser import build_optimisers, schedule
from .train import commit_hash


def counted(batch: Batch, depth: int) -> Tensor:
    """(rows, length) bool: positions whose token `depth` + 1 further on counts and lies in the same document."""
    valid = torch.roll(batch.targets, -depth, 1) != IGNORED
    valid[:, -depth:] = False
    for step in range(1, depth + 1):
        valid &= ~torch.roll(batch.starts, -step, 1)
    return valid


def depth_losses(parent: HybridLM, module: MultiTokenModule, batch: Batch, count: int, labels: bool, bf16: bool) -> list[Tensor]:
    """Mean loss in nats at depth 1 to `count`."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        mask = document_mask(batch.starts)
        with torch.no_grad():
            hidden, _ = parent.model(batch.tokens, batch.starts, mask)
            embeddings = parent.model.embeddings
        losses = []
        for depth, drafted in enumerate(depths(module, embeddings, hidden, batch.tokens, mask, count), 1):
            valid = counted(batch, depth)
            logits = parent.logits(drafted[valid]).float()
            if labels:
                losses.append(F.cross_entropy(logits, torch.roll(batch.targets, -depth, 1)[valid]))
                continue
            with torch.no_grad():
                said = parent.logits(torch.roll(hidden, -depth, 1)[valid]).float().log_softmax(-1)
            losses.append(F.kl_div(logits.log_softmax(-1), said, reduction="batchmean", log_target=True))
    return losses


@torch.no_grad()
def agreement(parent: HybridLM, module: MultiTokenModule, batches: list[Batch], count: int) -> list[float]:
    """Share of counted positions where depths 1 to k all name the backbone's best token, for each k, in float32."""
    right, total = [0] * count, 0
    for batch in batches:
        mask = document_mask(batch.starts)
        hidden, _ = parent.model(batch.tokens, batch.starts, mask)
        best = parent.logits(hidden).argmax(-1)
        all_of = counted(batch, count)
        total += int(all_of.sum())
        for depth, drafted in enumerate(depths(module, parent.model.embeddings, hidden, batch.tokens, mask, count), 1):
            all_of = all_of & (parent.logits(drafted).argmax(-1) == torch.roll(best, -depth, 1))
            right[depth - 1] += int(all_of.sum())
    return [round(r / max(total, 1), 4) for r in right]


class Run:
    """One run in a folder: state.pt to resume from, log.jsonl, module/ and FINISHED once it is."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.folder = Path(options.run)
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(options.seed)
        torch.set_num_threads(1)
        self.parent = load_pretrained(Path(options.parent)).eval().requires_grad_(False)
        self.module = MultiTokenModule(module_config(self.parent.config, options.pattern))
        self.optimisers = build_optimisers(self.module, options.lr, options.weight_decay)
        self.stage = PackedStage(Path(options.data), "sft")
        held = PackedStage(Path(options.held_out), "sft").batches(options.rows, options.length, seed=0) if options.held_out else iter(())
        self.held_out = [batch for batch, _ in zip(held, range(options.held_out_batches), strict=False)]
        self.step, self.seconds = 0, 0.0
        self.asked_to_stop = False

    def save(self, result: dict) -> None:
        state = {
            "module": self.module.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
        }
        torch.save(state, self.folder / "state.part")
        os.replace(self.folder / "state.part", self.folder / "state.pt")
        provenance = {
            "command": "python -m tidepool_model.training.multi_token "
            + " ".join(Path(a).name if a.startswith("/") else a for a in sys.argv[1:]),
            "commit": commit_hash(),
            "parameters": self.module.parameter_count,
            "seed": self.options.seed,
            "steps": self.step,
            "tokens": self.step * self.options.rows * self.options.length,
            "seconds": round(self.seconds),
            **result,
        }
        save_module(self.module, self.folder / "module", self.parent, provenance)

    def resume(self) -> None:
        path = self.folder / "state.pt"
        if not path.exists():
            return
        try:
            state = torch.load(path, weights_only=True)
        except Exception as error:
            raise SystemExit(f"{path} can't be read ({error}); it was cut short: remove it to start again") from error
        self.module.load_state_dict(state["module"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.seconds = state["step"], state["seconds"]

    def train(self) -> None:
        options = self.options
        self.resume()
        print(f"{self.module.parameter_count:,} parameters on a backbone of {self.parent.parameter_count:,}, from step {self.step}", flush=True)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: setattr(self, "asked_to_stop", True))
        source = self.stage.batches(options.rows, options.length, options.seed, skip=self.step)
        limit, last_save = options.minutes * 60, time.monotonic()
        since: list[list[float]] = []
        with (self.folder / "log.jsonl").open("a") as log, tqdm(total=round(limit), initial=round(self.seconds), unit="s", mininterval=10, ncols=100) as bar:
            while self.seconds < limit and not self.asked_to_stop:
                begun = time.monotonic()
                for optimiser in self.optimisers:
                    for group in optimiser.param_groups:
                        group["lr"] = options.lr * schedule(self.seconds / limit, decay=options.decay)
                    optimiser.zero_grad(set_to_none=True)
                losses = depth_losses(self.parent, self.module, next(source), options.depths, options.labels, options.bf16)
                torch.stack(losses).mean().backward()
                torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
                for optimiser in self.optimisers:
                    optimiser.step()
                since.append([loss.item() for loss in losses])
                self.step += 1
                spent = time.monotonic() - begun
                self.seconds += spent
                bar.update(spent)
                if self.step % options.report == 0:
                    means = [round(sum(column) / len(column), 4) for column in zip(*since, strict=True)]
                    line = {"step": self.step, "losses": means, "seconds": round(self.seconds)}
                    if self.step % options.evaluate == 0:
                        line["agreement"] = agreement(self.parent, self.module, self.held_out[:2], options.depths + 1)
                    log.write(json.dumps(line) + "\n")
                    log.flush()
                    bar.set_postfix_str(f"step {self.step} {means}")
                    since = []
                if time.monotonic() - last_save > options.save_minutes * 60:
                    self.save({})
                    last_save = time.monotonic()
        if self.seconds >= limit:
            result = {"heldOutAgreement": agreement(self.parent, self.module, self.held_out, options.depths + 1)} if self.held_out else {}
            self.save(result)
            (self.folder / "FINISHED").touch()
            print(f"finished: {self.step} steps, {json.dumps(result)} -> {self.folder / 'module'}")
        else:
            self.save({})
            print(f"stopped, run the same command to go on: {self.seconds:.0f} of {limit:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parent", required=True, help="checkpoint folder of the backbone; it is not changed")
    parser.add_argument("--data", required=True, help="folder that tidepool_model.data.build wrote; its sft stage is trained on")
    parser.add_argument("--held-out", help="such a folder of another seed: agreement with the backbone is measured on its sft stage")
    parser.add_argument("--run", required=True, help="folder of this run; the same folder resumes it")
    parser.add_argument("--minutes", type=float, required=True, help="training time of the whole run")
    parser.add_argument("--pattern", default="*-", help="layers of the module")
    parser.add_argument("--depths", type=int, default=2)
    parser.add_argument("--labels", action="store_true", help="teach the data's tokens, not what the backbone says")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--decay", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=int, default=10)
    parser.add_argument("--evaluate", type=int, default=100)
    parser.add_argument("--held-out-batches", type=int, default=12)
    parser.add_argument("--save-minutes", type=float, default=3)
    parser.add_argument("--no-bf16", dest="bf16", action="store_false")
    try:
        Run(parser.parse_args()).train()
    except (DataError, CheckpointError, ValueError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
