"""What choosing among the replies of one pool gains: by reward, by majority, by both, by any; no model is run here.

Best of N by reward is the mean over all choices of N replies out of the pool, so that every N is read off one pool and N = 1 is
the mean reply. A curve whose reward rises with N while right answers do not shows where the reward is fooled.
"""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.interval import Z, wilson

from ..data import chat_format
from .environments import RIGHT

SIZES = (4, 8, 16, 32)  # of the ways that are named one by one; those that the pool has


@dataclass(frozen=True)
class Reply:
    text: str  # with its thought, without the end mark
    reward: float  # of the environment
    tokens: int
    by: str = ""  # the checkpoint; "" in files that named none
    temperature: float = 0.0


Scored = Sequence[tuple[Sequence[Reply], Sequence[float]]]
"""Of each problem: its replies and what a reward model gives them."""


def answer_of(text: str) -> str:
    """What is counted in a vote: the numbers of an answer, or its words."""
    answer = text.rpartition(chat_format.END_THINK)[2].strip().lower()
    numbers = re.findall(r"-?\d+(?:[.:]\d+)*", answer)
    return " ".join(numbers) if numbers else re.sub(r"[^a-z]+", " ", answer).strip()


def majority(texts: Sequence[str]) -> int:
    """Index of the first reply with the most frequent answer."""
    answers = [answer_of(text) for text in texts]
    return answers.index(Counter(answers).most_common(1)[0][0])


def weighed(texts: Sequence[str], rewards: Sequence[float]) -> int:
    """Index of the best reply to the heaviest answer, where each weighs its chance of being the best by Bradley-Terry."""
    answers, most = [answer_of(text) for text in texts], max(rewards)
    weights: Counter[str] = Counter()
    for answer, reward in zip(answers, rewards, strict=True):
        weights[answer] += math.exp(reward - most)
    heaviest = weights.most_common(1)[0][0]
    return max((at for at, answer in enumerate(answers) if answer == heaviest), key=rewards.__getitem__)


def expected_best(rewards: Sequence[float], values: Sequence[float], size: int) -> float:
    """Mean value of the reply with the highest reward, over all choices of `size` replies; equal rewards share their place."""
    order = sorted(range(len(rewards)), key=rewards.__getitem__)
    all_ways, total, at = math.comb(len(order), size), 0.0, 0
    while at < len(order):
        end = next((i for i in range(at, len(order)) if rewards[order[i]] != rewards[order[at]]), len(order))
        ways = math.comb(end, size) - math.comb(at, size)  # choices whose best is among these
        total += ways / all_ways * statistics.fmean(values[i] for i in order[at:end])
        at = end
    return total


def _mean_and_interval(values: Sequence[float]) -> tuple[float, list[float]]:
    """Mean over problems and its 95 % interval (normal)."""
    mean = statistics.fmean(values)
    half = Z * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return round(mean, 4), [round(mean - half, 4), round(mean + half, 4)] if math.isfinite(half) else [round(mean, 4)] * 2


def by_draws(scored: Scored) -> list[dict[str, object]]:
    """For N = 1, 2, 4 … up to the pool: right answers and mean reward of the best of N.

    `right` has Wilson's interval at as many problems, which is wide for small N, where each problem counts in parts. `gain` and
    `lift` are against one reply of the same problems, so their intervals are those of a difference; `lift` is in standard
    deviations of the reward among replies to one problem, so that two reward models can be set side by side.
    """
    pool = min(len(replies) for replies, _ in scored)
    spread = math.sqrt(statistics.fmean(statistics.pvariance(rewards[:pool]) for _, rewards in scored)) or 1.0
    found: list[dict[str, object]] = []
    ones: list[tuple[float, float]] = []
    for size in (2**k for k in range(pool.bit_length())):
        each = []
        for replies, rewards in scored:
            part = list(rewards[:pool])
            each.append((expected_best(part, [float(reply.reward == RIGHT) for reply in replies[:pool]], size), expected_best(part, part, size)))
        ones = ones or each
        right, reward = statistics.fmean(e[0] for e in each), statistics.fmean(e[1] for e in each)
        gain, gain_interval = _mean_and_interval([e[0] - one[0] for e, one in zip(each, ones, strict=True)])
        lift, lift_interval = _mean_and_interval([(e[1] - one[1]) / spread for e, one in zip(each, ones, strict=True)])
        found.append(
            {"n": size, "right": round(right, 4), "interval": wilson(right, len(each)), "gain": gain, "gainInterval": gain_interval,
             "reward": round(reward, 4), "lift": lift, "liftInterval": lift_interval}
        )  # fmt: skip
    return found


def measure(scored: Scored) -> dict[str, object]:
    """Shares of problems answered rightly by each way of choosing, from replies and rewards of each problem."""
    n = len(scored)
    pool = min(len(replies) for replies, _ in scored)
    right: Counter[str] = Counter()
    single = 0.0
    flat: list[tuple[float, bool]] = []
    for replies, rewards in scored:
        verdicts = [reply.reward == RIGHT for reply in replies]
        single += sum(verdicts) / len(verdicts)
        right["any"] += any(verdicts)
        for size in SIZES:
            if size <= pool:
                right[f"bestOf{size}"] += verdicts[max(range(size), key=lambda i: rewards[i])]
                texts = [reply.text for reply in replies[:size]]
                right[f"weighedOf{size}"] += verdicts[weighed(texts, rewards[:size])]
                right[f"majorityOf{size}"] += verdicts[majority(texts)]
        flat += zip(rewards, verdicts, strict=True)
    flat.sort(key=lambda pair: pair[0])
    tenths = [flat[len(flat) * i // 10 : len(flat) * (i + 1) // 10] for i in range(10)]
    shares = {"one": single / n} | {name: count / n for name, count in right.items()}
    return {
        "problems": n,
        "pool": pool,
        "tokensEach": round(sum(reply.tokens for replies, _ in scored for reply in replies) / sum(len(replies) for replies, _ in scored), 1),
        "right": {name: {"share": round(share, 4), "interval": wilson(share, n)} for name, share in shares.items()},
        "byTenthOfReward": [{"reward": round(sum(r for r, _ in part) / len(part), 3), "right": round(sum(v for _, v in part) / len(part), 4)} for part in tenths if part],
        "byDraws": by_draws(scored),
    }
