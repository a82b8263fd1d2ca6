"""Reinforcement in many environments at once: group-relative policy gradient on checked answers (GRPO).

    python -m tidepool_model.posttraining.grpo --init CHECKPOINT --run DIR --updates 100

One update a batch of groups. Baseline: the mean of the group's other rewards (leave one out; RLOO, arXiv 2402.14740); loss over
all sampled tokens with the ratio clipped at 0.2 below and 0.28 above (DAPO, arXiv 2503.14476), no KL term; episodes that reach
the length limit count neither in the baseline nor in the loss. Prompts are kept where measured pass rates are 10 to 90 %, drawn
around a target that falls over the run (Nemotron 3 Nano, arXiv 2512.20848, section 3.2); every group has a drawn limit on its
thought. Ctrl-C saves; the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm

from ..architecture.batch_decode import Limit
from ..architecture.model import HybridLM, load_pretrained, save_pretrained
from ..data import chat_format
from ..data.thought_boundary import boundary_tokens
from ..data.tokenizer import DEFAULT_DIR
from ..training.train import commit_hash
from .environments import MALFORMED, RIGHT, Task, draw_limit, environments
from .rollouts import Rollout, sample_group

CLIP_LOW, CLIP_HIGH = 0.2, 0.28
LEAST_PASS, MOST_PASS = 0.1, 0.9
EASY, HARD, SPREAD = 0.75, 0.35, 0.2  # target pass rate at the start and at the end, and the Gaussian's width
PROFILED = 4  # episodes of each task by which a pass rate is first measured
UNKNOWN = 0.5  # pass rate of what is not measured before the first update
MEMORY = 0.9  # of the pass rate when a new group is measured: one task is mostly all right or all wrong
DIFFICULTIES = (1, 2, 3, 4, 5)
SHOWN = (("addition", 3), ("lookup", 3), ("word_problems", 2))  # problems whose greedy replies are kept through training


@dataclass
class Group:
    """One task and its episodes, scored."""

    task: Task
    rollouts: list[Rollout]
    rewards: list[float]

    @property
    def counted(self) -> list[int]:
        """Episodes that ended; the others were cut by length and say nothing."""
        return [index for index, rollout in enumerate(self.rollouts) if rollout.ended]

    @property
    def pass_rate(self) -> float | None:
        counted = self.counted
        return sum(self.rewards[i] == RIGHT for i in counted) / len(counted) if counted else None

    def advantages(self) -> dict[int, float]:
        """Reward less the mean of the others', by episode; nothing where all are equal or alone."""
        counted = self.counted
        if len(counted) < 2 or len({self.rewards[i] for i in counted}) == 1:
            return {}
        total = sum(self.rewards[i] for i in counted)
        return {i: self.rewards[i] - (total - self.rewards[i]) / (len(counted) - 1) for i in counted}


@dataclass
class Curriculum:
    """Which family and difficulty is asked next, by its measured pass rate."""

    rates: dict[tuple[str, int], float] = field(default_factory=dict)

    def learn(self, bucket: tuple[str, int], rate: float) -> None:
        before = self.rates.get(bucket)
        self.rates[bucket] = rate if before is None else MEMORY * before + (1 - MEMORY) * rate

    def draw(self, rng: random.Random, progress: float) -> tuple[str, int]:
        """A family first, so that each keeps its share, then a difficulty near the target."""
        usable: dict[str, list[int]] = defaultdict(list)
        for (family, difficulty), rate in self.rates.items():
            if LEAST_PASS <= rate <= MOST_PASS:
                usable[family].append(difficulty)
        if not usable:
            raise ValueError("no family has a pass rate between 10 and 90 %; the model is too weak or too strong for these tasks")
        family = rng.choice(sorted(usable))
        target = EASY + (HARD - EASY) * progress
        weights = [math.exp(-(((self.rates[family, d] - target) / SPREAD) ** 2) / 2) for d in usable[family]]
        return family, rng.choices(usable[family], weights)[0]


class Reinforcer:
    """A run: samples, scores, updates, keeps its curve."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.folder = Path(args.run)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer = Tokenizer.from_file(str(args.tokenizer))
        self.model = load_pretrained(Path(args.init))
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=args.rate, betas=(0.9, 0.95), weight_decay=0.0)
        self.environments = environments(self.tokenizer)
        self.curriculum = Curriculum()
        self.updates = 0
        self.seconds = 0.0
        self.asked_to_stop = False
        ids = {token: self.tokenizer.token_to_id(token) for token in (chat_format.IM_END, chat_format.PAD, chat_format.END_THINK, chat_format.END_OF_TEXT)}
        self.end, self.pad, self.end_think = ids[chat_format.IM_END], ids[chat_format.PAD], ids[chat_format.END_THINK]
        self.special = {"eos_token_id": self.end, "pad_token_id": self.pad, "bos_token_id": ids[chat_format.END_OF_TEXT]}
        newline = self.tokenizer.encode("\n", add_special_tokens=False).ids
        self.close = [*newline, self.end_think, *newline]
        self.boundaries = boundary_tokens(self.tokenizer)

    # -- episodes --------------------------------------------------------------------------------------------------

    def limit_of(self, task: Task) -> Limit | None:
        return None if task.limit == 0 else Limit(task.limit, self.close, self.end_think, lambda token: token in self.boundaries)

    def group(self, family: str, difficulty: int, rng: random.Random, count: int, limit: int | None) -> Group:
        """`count` episodes of one task under one limit, with their rewards."""
        environment = self.environments[family]
        task = environment.draw(rng, difficulty, limit)
        text = lambda turn: self.tokenizer.decode(turn, skip_special_tokens=False).removesuffix(chat_format.IM_END)

        def go_on(turn: list[int]) -> list[int] | None:
            told = environment.reply_to_call(task, text(turn))
            return None if told is None else self.tokenizer.encode(told, add_special_tokens=False).ids

        generator = torch.Generator().manual_seed(rng.getrandbits(62))
        rollouts = sample_group(self.model, task.prompt, count, self.args.longest, self.end, self.limit_of(task), go_on, self.args.temperature, generator)
        rewards = [environment.reward(task, [text(turn) for turn in rollout.turns]) if rollout.ended else 0.0 for rollout in rollouts]
        return Group(task, rollouts, rewards)

    def profile(self) -> None:
        """Measures each family at each difficulty over several tasks (one alone is mostly all right or all wrong), thinking unlimited."""
        rng = random.Random(f"{self.args.seed}:profile")
        for family in tqdm(self.environments, desc="pass rates", disable=None):
            for difficulty in DIFFICULTIES:
                rates = [self.group(family, difficulty, rng, PROFILED, None).pass_rate for _ in range(self.args.profile)]
                measured = [rate for rate in rates if rate is not None]
                if measured or not self.args.profile:
                    self.curriculum.learn((family, difficulty), sum(measured) / len(measured) if measured else UNKNOWN)

    # -- updates ---------------------------------------------------------------------------------------------------

    def loss(self, batch: list[tuple[Task, Rollout, float]], total: int) -> tuple[Tensor, int]:
        """Clipped policy-gradient loss of some episodes, over `total` sampled tokens of the whole update; how many ratios were clipped."""
        length = max(len(task.prompt) + len(rollout.tokens) for task, rollout, _ in batch)
        tokens = torch.full((len(batch), length), self.pad)
        before = torch.zeros(len(batch), length - 1)
        weights = torch.zeros(len(batch), length - 1)
        for row, (task, rollout, advantage) in enumerate(batch):
            ids = torch.tensor(task.prompt + rollout.tokens)
            tokens[row, : len(ids)] = ids
            place = slice(len(task.prompt) - 1, len(ids) - 1)
            before[row, place] = torch.tensor(rollout.log_probs)
            weights[row, place] = advantage * torch.tensor(rollout.sampled).float()
        chosen = weights != 0
        hidden, _ = self.model.model(tokens[:, :-1])
        log_probs = torch.log_softmax(self.model.logits(hidden[chosen]).float() / self.args.temperature, -1)
        now = log_probs.gather(1, tokens[:, 1:][chosen][:, None])[:, 0]
        ratio = (now - before[chosen]).exp()
        advantage = weights[chosen]
        clipped = ratio.clamp(1 - CLIP_LOW, 1 + CLIP_HIGH)
        surrogate = torch.minimum(ratio * advantage, clipped * advantage)
        return -surrogate.sum() / total, int((ratio != clipped).sum())

    def update(self, groups: list[Group]) -> dict[str, float]:
        """One step on a batch of groups; what it did."""
        episodes = [(group.task, group.rollouts[i], advantage) for group in groups for i, advantage in group.advantages().items()]
        total = sum(sum(rollout.sampled) for _, rollout, _ in episodes)
        if not total:
            return {"used": 0, "clipped": 0, "norm": 0.0}
        episodes.sort(key=lambda episode: len(episode[0].prompt) + len(episode[1].tokens))
        clipped = 0
        self.optimiser.zero_grad(set_to_none=True)
        for at in range(0, len(episodes), self.args.rows):
            loss, count = self.loss(episodes[at : at + self.args.rows], total)
            loss.backward()
            clipped += count
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0))
        rate = self.args.rate * min(1.0, (self.updates + 1) / 5) * (1 - 0.9 * self.progress)
        for parameters in self.optimiser.param_groups:
            parameters["lr"] = rate
        self.optimiser.step()
        return {"used": len(episodes), "clipped": clipped / total, "norm": round(norm, 3)}

    def said(self, groups: list[Group]) -> dict[str, object]:
        """A line of the curve: rewards, lengths, form, by limit."""
        episodes = [(group.task, rollout, reward) for group in groups for rollout, reward in zip(group.rollouts, group.rewards, strict=True)]
        ended = [(task, reward) for task, rollout, reward in episodes if rollout.ended]
        mean = lambda values: round(sum(values) / max(1, len(values)), 4)
        by_limit: dict[str, list[float]] = defaultdict(list)
        for task, reward in ended:
            by_limit["unlimited" if task.limit is None else str(task.limit)].append(reward == RIGHT)
        return {
            "reward": mean([reward for _, reward in ended]),
            "right": mean([reward == RIGHT for _, reward in ended]),
            "malformed": mean([reward == MALFORMED for _, reward in ended]),
            "overlong": round(1 - len(ended) / len(episodes), 4),
            "tokens": round(sum(len(rollout.tokens) for _, rollout, _ in episodes) / len(episodes), 1),
            "byLimit": {limit: mean(values) for limit, values in sorted(by_limit.items())},
        }

    def shown(self) -> list[dict[str, object]]:
        """Greedy replies to the same problems each time, for whoever wants to see it learn."""
        found = []
        for family, difficulty in SHOWN:
            task = self.environments[family].draw(random.Random(f"shown:{family}"), difficulty, None)
            rollout = sample_group(self.model, task.prompt, 1, self.args.longest, self.end, self.limit_of(task), lambda turn: None, 1e-4, torch.Generator().manual_seed(1))[0]
            found.append({"question": task.problem.question, "reply": self.tokenizer.decode(rollout.tokens, skip_special_tokens=False), "gold": task.problem.gold})
        return found

    @property
    def progress(self) -> float:
        """Share of the run that is over, by updates or by minutes, whichever ends it first."""
        by_time = self.seconds / (self.args.minutes * 60) if self.args.minutes else 0.0
        return min(1.0, max(self.updates / self.args.updates, by_time))

    # -- the run ---------------------------------------------------------------------------------------------------

    def save(self) -> None:
        part = self.folder / "state.part"
        torch.save(
            {
                "model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(), "updates": self.updates, "seconds": self.seconds,
                "rates": [[*bucket, rate] for bucket, rate in self.curriculum.rates.items()],
            },
            part,
        )  # fmt: skip
        os.replace(part, self.folder / "state.pt")
        provenance = {"command": "python -m tidepool_model.posttraining.grpo", "commit": commit_hash(), "updates": self.updates, "seconds": round(self.seconds), "seed": self.args.seed, "parameters": self.model.parameter_count}
        before = Path(self.args.init) / "provenance.json"
        save_pretrained(self.model, self.folder / "checkpoint", self.special, provenance | {"continues": json.loads(before.read_text()) if before.exists() else {}})

    def resume(self) -> None:
        path = self.folder / "state.pt"
        if not path.exists():
            return
        try:
            state = torch.load(path, weights_only=True)
        except Exception as error:  # torch names many: zip, pickle, end of file
            raise SystemExit(f"{path} can't be read ({error}); it was cut short: remove it to begin again") from error
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.updates, self.seconds = state["updates"], state["seconds"]
        self.curriculum.rates = {(family, difficulty): rate for family, difficulty, rate in state["rates"]}

    def run(self) -> None:
        args = self.args
        self.resume()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda number, frame: setattr(self, "asked_to_stop", True))
        if not self.curriculum.rates:
            self.profile()
            self.save()
        bar = tqdm(total=args.updates, initial=self.updates, disable=None, file=sys.stdout, mininterval=10)
        with (self.folder / "curve.jsonl").open("a") as curve, (self.folder / "shown.jsonl").open("a") as shown:
            if not self.updates:
                shown.write(json.dumps({"update": 0, "replies": self.shown()}) + "\n")
            while self.updates < args.updates and not self.asked_to_stop and not (args.minutes and self.seconds > args.minutes * 60):
                began = time.monotonic()
                rng = random.Random(f"{args.seed}:{self.updates}")
                groups = [self.group(*self.curriculum.draw(rng, self.progress), rng, args.group, draw_limit(rng)) for _ in range(args.groups)]
                sampled = time.monotonic() - began
                for group in groups:
                    if group.pass_rate is not None and group.task.limit is None:
                        self.curriculum.learn(group.task.bucket, group.pass_rate)
                did = self.update(groups)
                self.seconds += time.monotonic() - began
                self.updates += 1
                tokens = sum(len(rollout.tokens) for group in groups for rollout in group.rollouts)
                line = {"update": self.updates, **self.said(groups), **did, "tokensPerSecond": round(tokens / sampled), "seconds": round(self.seconds)}
                curve.write(json.dumps(line) + "\n")
                curve.flush()
                bar.update()
                bar.set_postfix_str(f"reward {line['reward']:.3f} {line['tokens']} tokens")
                if self.updates % args.keep == 0:
                    shown.write(json.dumps({"update": self.updates, "replies": self.shown()}) + "\n")
                    shown.flush()
                    self.save()
        bar.close()
        self.save()
        print(f"{self.updates} of {args.updates} updates, {self.seconds:.0f} s -> {self.folder / 'checkpoint'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", required=True, help="checkpoint folder to begin from (convert/ and export/ say how to read what ships)")
    parser.add_argument("--run", required=True)
    parser.add_argument("--tokenizer", type=Path, default=DEFAULT_DIR / "tokenizer.json")
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=0, help="ends after so long; 0: after all updates")
    parser.add_argument("--groups", type=int, default=16, help="tasks an update")
    parser.add_argument("--group", type=int, default=12, help="episodes of each")
    parser.add_argument("--profile", type=int, default=6, help="tasks of each family and difficulty by which its pass rate is first measured, four episodes each; 0: they are measured as the run goes")
    parser.add_argument("--longest", type=int, default=260, help="tokens of an episode")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--rows", type=int, default=32, help="episodes a backward pass")
    parser.add_argument("--keep", type=int, default=10, help="updates between two savings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    Reinforcer(args).run()


if __name__ == "__main__":
    main()
