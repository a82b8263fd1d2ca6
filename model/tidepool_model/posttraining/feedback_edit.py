"""Draft, feedback, edit: rows to teach the three roles from, and what they are worth on held-out problems.

    python -m tidepool_model.posttraining.feedback_edit rows --checkpoint DIR --data DIR --problems 2400
    python -m tidepool_model.training.train --data DIR --run DIR --init CHECKPOINT --stages roles:700 --rows 4 --lr 3e-4 --decay 0.9
    python -m tidepool_model.posttraining.feedback_edit measure --checkpoint DIR --control SHIPPED --journal DIR --out figures.json

Measured on problems never trained on, at equal tokens too: a draft alone, an edit without feedback, an edit with feedback, four
drafts with four feedbacks each, and the majority of as many drafts as cost the same. Feedback is voted on: what most say of a
draft is told to its editor; where most say that nothing is wrong, the draft stays. The majority of what comes out is the answer;
with a reward head also the one with the highest reward, and the heaviest where rewards weigh the vote.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tasks.held_out import SEED, draw_problems
from tasks.interval import wilson
from tasks.problem import Problem
from tokenizers import Tokenizer
from tqdm import tqdm

from ..architecture.batch_decode import write_replies
from ..architecture.model import HybridLM, load_pretrained
from ..data import chat_format
from ..data.tokenizer import DEFAULT_DIR
from . import faults, role_rows, roles
from .choosing import majority, weighed
from .environments import PLAIN
from .reward import Head, states_of
from .roles import NOTHING_WRONG, Draft

Replies = Sequence[tuple[Sequence[dict[str, str]], str]]
"""Replies, each with the messages that it answers."""
Score = Callable[[Replies], list[float]]
DRAFTS = FEEDBACKS = 4
MOST_VOTES = 16  # drafts for the majority at equal tokens
TEMPERATURE = 0.8  # of all but the first draft and the first feedback, which take the best token
LONGEST = {"draft": 260, "feedback": 200, "edit": 260}


@dataclass(frozen=True)
class Said:
    """One reply of a role."""

    draft: Draft
    tokens: int
    text: str  # as a vote counts it


class Roles:
    """The roles, played by one model under one limit."""

    def __init__(self, model: HybridLM, tokenizer: Tokenizer, limit: int | None) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.thinks = limit != 0
        self.limit = role_rows.limit_of(tokenizer, limit) if self.thinks else None
        self.end = tokenizer.token_to_id(chat_format.IM_END)

    def say(self, role: str, asked: Sequence[tuple[str | Draft | None, ...]], temperature: float = 0.0, seed: int = 0) -> list[Said]:
        prompts = [roles.prompt_of(self.tokenizer, role, *one, thinks=self.thinks) for one in asked]  # type: ignore[arg-type]
        return self.write(prompts, LONGEST[role], temperature, seed, role)

    def alone(self, questions: Sequence[str]) -> list[Said]:
        """As the chat asks without any role."""
        text = lambda question: chat_format.render([{"role": "user", "content": question}], add_generation_prompt=True, enable_thinking=self.thinks)
        prompts = [self.tokenizer.encode(text(question), add_special_tokens=False).ids for question in questions]
        return self.write(prompts, LONGEST["draft"], 0.0, 0, "alone")

    def write(self, prompts: Sequence[list[int]], most: int, temperature: float, seed: int, what: str) -> list[Said]:
        limits = [self.limit] * len(prompts)
        torch.manual_seed(seed)
        written = write_replies(self.model, prompts, most, {self.end}, temperature=temperature, limits=limits)
        replies = [reply for _, reply in sorted(tqdm(written, what, len(prompts)))]
        said = []
        for reply in replies:
            text = self.tokenizer.decode(reply, skip_special_tokens=False).removesuffix(chat_format.IM_END)
            has_ended = bool(reply) and reply[-1] == self.end
            draft = roles.draft_of(text) if self.thinks else Draft((), text.strip())
            said.append(Said(draft if has_ended else Draft(draft.steps, ""), len(reply), text))
        return said


def voted(feedbacks: Sequence[str]) -> str:
    """What most say of a draft; the first of those that are said as often."""
    return Counter(feedbacks).most_common(1)[0][0]


def chosen(drafts: Sequence[Draft]) -> Draft:
    """The first whose answer is the most frequent."""
    return drafts[majority([draft.answer for draft in drafts])]


@dataclass
class Outcome:
    """What one way gives for each problem."""

    finals: list[Draft]
    tokens: list[int]


def measure_ways(
    played: Roles,
    questions: Sequence[str],
    kept: Callable[[str, Callable[[], list[Said]]], list[Said]],
    with_many: bool = True,
    score: Score | None = None,
) -> tuple[dict[str, Outcome], dict[str, list[Said]]]:
    """Each way's answers, and the replies of the roles by name; `with_many` False leaves out all that needs more than one draft."""
    n = len(questions)
    first = kept("draft", lambda: played.say("draft", [(question,) for question in questions]))
    bare = kept("bare-edit", lambda: played.say("edit", [(q, d.draft, None) for q, d in zip(questions, first, strict=True)]))
    told = kept("feedback", lambda: played.say("feedback", [(q, d.draft) for q, d in zip(questions, first, strict=True)]))
    edits = kept("edit", lambda: played.say("edit", [(q, d.draft, f.draft.answer) for q, d, f in zip(questions, first, told, strict=True)]))
    said_once = {"draft": first, "bare": bare, "feedback": told, "edit": edits}
    ways = {
        "draft": Outcome([d.draft for d in first], [d.tokens for d in first]),
        "editWithoutFeedback": Outcome([e.draft for e in bare], [d.tokens + e.tokens for d, e in zip(first, bare, strict=True)]),
        "editWithFeedback": Outcome(
            [d.draft if f.draft.answer == NOTHING_WRONG else e.draft for d, f, e in zip(first, told, edits, strict=True)],
            [d.tokens + f.tokens + (f.draft.answer != NOTHING_WRONG) * e.tokens for d, f, e in zip(first, told, edits, strict=True)],
        ),
    }
    if not with_many:
        return ways, said_once
    more = kept("drafts", lambda: played.say("draft", [(q,) for q in questions for _ in range(MOST_VOTES - 1)], TEMPERATURE, 1))
    votes = [[first[i], *more[i * (MOST_VOTES - 1) : (i + 1) * (MOST_VOTES - 1)]] for i in range(n)]
    four = [(q, d) for q, own in zip(questions, votes, strict=True) for d in own[:DRAFTS]]
    one = kept("feedbacks-1", lambda: played.say("feedback", [(q, d.draft) for q, d in four]))
    rest = kept("feedbacks", lambda: played.say("feedback", [(q, d.draft) for q, d in four for _ in range(FEEDBACKS - 1)], TEMPERATURE, 2))
    said = [[one[i], *rest[i * (FEEDBACKS - 1) : (i + 1) * (FEEDBACKS - 1)]] for i in range(len(four))]
    verdicts = [voted([f.draft.answer for f in own]) for own in said]
    to_mend = [i for i, verdict in enumerate(verdicts) if verdict != NOTHING_WRONG]
    mended = kept("edits", lambda: played.say("edit", [(four[i][0], four[i][1].draft, verdicts[i]) for i in to_mend]))
    finals, costs = [d.draft for _, d in four], [d.tokens + sum(f.tokens for f in own) for (_, d), own in zip(four, said, strict=True)]
    for i, edit in zip(to_mend, mended, strict=True):
        finals[i], costs[i] = edit.draft, costs[i] + edit.tokens
    ways["fourByFour"] = Outcome([chosen(finals[i * DRAFTS : (i + 1) * DRAFTS]) for i in range(n)], [sum(costs[i * DRAFTS : (i + 1) * DRAFTS]) for i in range(n)])
    if score is not None:
        read = [(roles.messages("draft", q), d.text) for q, d in four]
        for i, edit in zip(to_mend, mended, strict=True):
            read[i] = (roles.messages("edit", four[i][0], four[i][1].draft, verdicts[i]), edit.text)
        rewards = score(read)
        spans = [slice(i * DRAFTS, (i + 1) * DRAFTS) for i in range(n)]
        best = [finals[span][max(range(DRAFTS), key=rewards[span].__getitem__)] for span in spans]
        ways["fourByFourByReward"] = Outcome(best, ways["fourByFour"].tokens)
        ways["fourByFourWeighed"] = Outcome([finals[span][weighed([d.answer for d in finals[span]], rewards[span])] for span in spans], ways["fourByFour"].tokens)
    mean = {name: statistics.mean(way.tokens) for name, way in ways.items()}
    each = statistics.mean(d.tokens for own in votes for d in own)
    for name in ("editWithoutFeedback", "editWithFeedback", "fourByFour"):  # majority of two is the first, so three at least
        count = min(MOST_VOTES, max(3, round(mean[name] / each)))
        ways[f"majorityFor_{name}"] = Outcome([chosen([d.draft for d in own[:count]]) for own in votes], [sum(d.tokens for d in own[:count]) for own in votes])
    return ways, said_once


def paired(before: Sequence[bool], after: Sequence[bool], seed: int = 1, draws: int = 2000) -> list[float]:
    """95 % interval of the difference in shares, by bootstrap over problems."""
    rng = random.Random(seed)
    differences = [int(b) - int(a) for a, b in zip(before, after, strict=True)]
    means = sorted(statistics.mean(rng.choices(differences, k=len(differences))) for _ in range(draws))
    return [round(means[int(draws * 0.025)], 4), round(means[int(draws * 0.975) - 1], 4)]


def copies(drafts: Sequence[Draft], edits: Sequence[Draft], of: Sequence[bool]) -> dict[str, float | int]:
    """Share of edits that say what the draft said, word for word, among those that `of` names."""
    chosen_ = [(d, e) for d, e, counts in zip(drafts, edits, of, strict=True) if counts]
    return {"edits": len(chosen_), "copies": round(sum(d == e for d, e in chosen_) / max(1, len(chosen_)), 4)}


def figures(problems: Sequence[Problem], ways: dict[str, Outcome], said: dict[str, list[Said]]) -> dict[str, object]:
    """Shares of right answers with intervals and tokens, the copies, and how often feedback is right."""
    right = {name: [faults.is_right(p, final.answer) for p, final in zip(problems, way.finals, strict=True)] for name, way in ways.items()}
    n = len(problems)
    is_right = right["draft"]
    wrong = [not verdict for verdict in is_right]
    calls = [f.draft.answer != NOTHING_WRONG for f in said["feedback"]]
    drafts = [d.draft for d in said["draft"]]
    places = [
        f.draft.answer == faults.feedback_on(d, Draft(tuple(p.thought), p.answer), False)
        for p, d, f, is_wrong in zip(problems, drafts, said["feedback"], wrong, strict=True) if is_wrong
    ]  # fmt: skip
    return {
        "problems": n,
        "ways": {
            name: {"right": round(sum(found) / n, 4), "interval": wilson(sum(found) / n, n), "tokens": round(statistics.mean(ways[name].tokens), 1),
                   "gainOverDraft": paired(is_right, found)}
            for name, found in right.items()
        },
        **({"fourByFourOverMajority": paired(right["majorityFor_fourByFour"], right["fourByFour"])} if "fourByFour" in right else {}),
        "copies": {
            "withFeedback": copies(drafts, [e.draft for e in said["edit"]], [w and c for w, c in zip(wrong, calls, strict=True)]),
            "withoutFeedback": copies(drafts, [e.draft for e in said["bare"]], wrong),
        },
        "feedback": {
            "wrongDraftsCalledWrong": round(sum(c and w for c, w in zip(calls, wrong, strict=True)) / max(1, sum(wrong)), 4),
            "rightDraftsLeft": round(sum(not c and not w for c, w in zip(calls, wrong, strict=True)) / max(1, n - sum(wrong)), 4),
            "namesTheFirstFault": round(sum(places) / max(1, len(places)), 4),
        },
        "mended": round(sum(r and w for r, w in zip(right["editWithFeedback"], wrong, strict=True)) / max(1, sum(wrong)), 4),
        "spoilt": round(sum(not r and not w for r, w in zip(right["editWithFeedback"], wrong, strict=True)) / max(1, n - sum(wrong)), 4),
        "byFamily": {
            family: {name: round(statistics.mean(found[i] for i in range(n) if problems[i].family == family), 3) for name, found in right.items()}
            for family in sorted({p.family for p in problems})
        },
    }  # fmt: skip


def held_out(each: int) -> list[Problem]:
    """The first `each` of every family's 40 among the 640; tools, which need calls, left out."""
    seen: set[str] = set()
    return [problem for family in PLAIN for problem, _ in draw_problems(family, SEED, seen)[:each]]


def journal(folder: Path) -> Callable[[str, Callable[[], list[Said]]], list[Said]]:
    """Keeps each part's replies in a file, so that a stopped measurement goes on where it was."""
    folder.mkdir(parents=True, exist_ok=True)

    def kept(name: str, make: Callable[[], list[Said]]) -> list[Said]:
        path = folder / f"{name}.json"
        if path.exists():
            return [Said(Draft(tuple(steps), answer), tokens, text) for steps, answer, tokens, text in json.loads(path.read_text())]
        said = make()
        part = path.with_suffix(".part")
        part.write_text(json.dumps([[one.draft.steps, one.draft.answer, one.tokens, one.text] for one in said]))
        part.replace(path)
        return said

    return kept


def make_rows(model: HybridLM, tokenizer: Tokenizer, data: Path, problems: int, seed: int) -> str:
    """Writes the stage `roles` into a data folder; a line on what is in it."""
    rng = random.Random(f"{seed}:rows")
    gathered = role_rows.gather(model, tokenizer, problems // 8, seed) + role_rows.slips(problems * 7 // 8, seed) + role_rows.stories(problems // 12, seed)
    others = [role_rows.feedback_of(faulty) for faulty in gathered if not faulty.is_right]
    rng.shuffle(gathered)
    rows = [row for faulty in gathered for row in role_rows.rows_of(tokenizer, faulty, others, rng) if len(row.tokens) <= role_rows.LONGEST]
    own = sum(len(row.tokens) for row in rows)
    rows += role_rows.replay_rows(data, own // 3, seed)  # a quarter of all tokens
    rng.shuffle(rows)
    tokens, trained = role_rows.write_stage(data, rows)
    (data / "roles.json").write_text(json.dumps(roles.SYSTEM, indent=1) + "\n")
    wrong = Counter(faulty.family for faulty in gathered if not faulty.is_right)
    return f"{len(gathered)} drafts, {sum(wrong.values())} with a fault {dict(wrong)}; {len(rows)} rows, {tokens} tokens ({own} of the roles), {trained} trained on"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("rows", "measure"))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, default=DEFAULT_DIR / "tokenizer.json")
    parser.add_argument("--data", type=Path, help="folder of data.build, whose fine-tuning mix is the replay")
    parser.add_argument("--problems", type=int, default=2400, help="drafts to gather, an eighth of them written by the model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", type=Path, help="checkpoint that the taught one must not be worse than, alone")
    parser.add_argument("--journal", type=Path, help="folder that keeps the parts of a measurement")
    parser.add_argument("--each", type=int, default=40, help="held-out problems a family")
    parser.add_argument("--single", action="store_true", help="only the ways of one draft: an eighth of the work")
    parser.add_argument("--reward", type=Path, help="head of posttraining.reward --roles, by which results are chosen as well")
    parser.add_argument("--limit", type=int, default=None, help="tokens of thought in every role; left out: none")
    parser.add_argument("--out", type=Path, help="file for the figures")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, tokenizer = load_pretrained(args.checkpoint).eval(), Tokenizer.from_file(str(args.tokenizer))
    began = time.monotonic()
    if args.what == "rows":
        if args.data is None:
            parser.error("rows needs --data")
        print(make_rows(model, tokenizer, args.data, args.problems, args.seed), f"{time.monotonic() - began:.0f} s")
        return 0
    if args.journal is None or args.out is None:
        parser.error("measure needs --journal and --out")
    problems = held_out(args.each)
    questions = [problem.question for problem in problems]
    kept = journal(args.journal)
    head = None if args.reward is None else Head.load(args.reward, model.config.hidden_size)
    score = None if head is None else lambda replies: head.reward(states_of(model, tokenizer, replies)).tolist()
    ways, said = measure_ways(Roles(model, tokenizer, args.limit), questions, kept, not args.single, score)
    found = figures(problems, ways, said)
    if args.control is not None:
        verdicts = {}
        for name, checkpoint in (("taught", args.checkpoint), ("shipped", args.control)):
            alone = kept(f"alone-{name}", lambda checkpoint=checkpoint: Roles(load_pretrained(checkpoint).eval(), tokenizer, args.limit).alone(questions))
            verdicts[name] = [faults.is_right(p, one.draft.answer) for p, one in zip(problems, alone, strict=True)]
        shares = {name: round(sum(right) / len(right), 4) for name, right in verdicts.items()}
        found["alone"] = shares | {"difference": paired(verdicts["shipped"], verdicts["taught"])}
    found |= {"limit": "unlimited" if args.limit is None else args.limit, "seconds": round(time.monotonic() - began)}
    args.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps({"ways": found["ways"], "copies": found["copies"], "feedback": found["feedback"], "alone": found.get("alone")}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
