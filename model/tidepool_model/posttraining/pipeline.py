"""From topics to training rows: prompts by grammar, other words by a language model, answers by checkpoints, checked, judged, de-duplicated.

    python -m tidepool_model.posttraining.pipeline --checkpoints SMALL OTHER --out DIR [--base base.pt --base-tokenizer FILE] [--reward FILE] [--judge DIR]

The stages of Nemotron-4 340B's data (arXiv 2406.11704, section 3.2) where the domain has real judges: the families' checkers come first,
a reward head second (--reward), and where two replies are right a judge that has to say the same in both orders: a language model (--judge),
or the head. It chooses the row's reply and makes a pair. A row that no checkpoint answered rightly takes the recipe's own worked thought.
Stories come in as they are retold by the base model, where a retelling passes. Each stage's file stays in DIR and is not made again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tasks import registry
from tasks.problem import Problem
from tokenizers import Tokenizer

from ..architecture.batch_decode import write_replies
from ..architecture.model import load_pretrained
from ..data import chat_format
from ..data.build import Encoder, Stage, chat_item
from ..data.stories import storyteller
from ..data.tokenizer import DEFAULT_DIR
from .duplicates import FIXTURES, TestSets, questions_of
from .environments import MALFORMED, PLAIN, RIGHT, FamilyEnvironment, environments
from .judging import Judge, JudgeError, ModelJudge, consistent
from .paraphrase import paraphrases, retellings, short_stories
from .preferences import Preference, write_preferences
from .reward import Head, states_of

PARAPHRASED = ("word_problems", "addition", "subtraction", "multiplication", "comparison")
LONGEST = 260


@dataclass(frozen=True)
class Prompt:
    """A question and the problem that it asks."""

    problem: Problem
    question: str
    source: str  # "grammar" or "paraphrase"


@dataclass(frozen=True)
class Answer:
    """One checkpoint's reply with its thought, and its reward by the checker."""

    text: str
    by: str
    reward: float
    score: float = 0.0  # by the reward head


def topics(count: int, seed: int) -> list[Problem]:
    """Problems of the training side by turns of the families, difficulties falling off as the model's do."""
    rng = random.Random(seed)
    return [registry.sample(PLAIN[i % len(PLAIN)], rng, rng.choices((1, 2, 3, 4), (4, 3, 2, 1))[0], "train", "wide") for i in range(count)]


def statements(count: int, seed: int) -> list[Problem]:
    """Problems whose statement is worth other words; the checker can read most of them."""
    rng = random.Random(seed + 1)
    return [registry.sample(PARAPHRASED[i % len(PARAPHRASED)], rng, rng.choices((1, 2, 3), (4, 3, 2))[0], "train", "wide") for i in range(count)]


def write_prompts(args: argparse.Namespace, table: Counter[str]) -> list[Prompt]:
    """Grammar and paraphrases, less what a test set has."""
    prompts = [Prompt(problem, problem.question, "grammar") for problem in topics(args.prompts, args.seed)]
    table["prompts by grammar"] = len(prompts)
    if args.base is not None:
        found, refused = paraphrases(statements(args.statements, args.seed), args.base, args.base_tokenizer, args.each, args.seed)
        table["paraphrases kept"] = len(found)
        table.update({f"paraphrases refused: {why}": count for why, count in refused.items()})
        prompts += [Prompt(problem, question, "paraphrase") for problem, question in found]
    tests = TestSets(questions_of(FIXTURES, args.corpora))
    kept, seen = [], set()
    for prompt in prompts:
        why = tests.repeats(prompt.problem, prompt.question) or ("asked twice" if prompt.question in seen else None)
        seen.add(prompt.question)
        if why is None:
            kept.append(prompt)
        else:
            table[f"prompts dropped: {why}"] += 1
    return kept


def write_stories(args: argparse.Namespace, table: Counter[str]) -> list[dict[str, Any]]:
    """Rows of stories that the base model retold, each answering a request for its story."""
    rng = random.Random(args.seed + 2)
    tests = TestSets(questions_of(FIXTURES, args.corpora))
    found, refused = retellings(short_stories(args.stories, args.seed + 2), args.base, args.base_tokenizer, args.each, args.seed)
    table.update({f"retold stories refused: {why}": count for why, count in refused.items()})
    rows = []
    for story, text in found:
        request = storyteller.request(story, rng)
        if (why := tests.holds(request)) is not None:
            table[f"retold stories dropped: {why}"] += 1
            continue
        messages = [{"role": "user", "content": request}, {"role": "assistant", "content": text}]
        rows.append({"messages": messages, "family": "stories", "canonical": story.text, "source": "retelling", "by": "the base"})
    table["retold stories kept"] = len(rows)
    return rows


def asked(environment: FamilyEnvironment, prompt: Prompt) -> list[int]:
    text = chat_format.render([{"role": "user", "content": prompt.question}], [], add_generation_prompt=True, enable_thinking=True)
    return environment.tokenizer.encode(text, add_special_tokens=False).ids


def answers(prompts: Sequence[Prompt], checkpoints: Sequence[Path], tokenizer: Tokenizer, each: int, temperature: float, seed: int) -> list[list[Answer]]:
    """`each` sampled replies of every checkpoint to every prompt, checked."""
    known = environments(tokenizer)
    end = tokenizer.token_to_id(chat_format.IM_END)
    found: list[list[Answer]] = [[] for _ in prompts]
    for path in checkpoints:
        torch.manual_seed(seed)
        model = load_pretrained(path).eval()
        flat = [index for index in range(len(prompts)) for _ in range(each)]
        encoded = [asked(known[prompts[index].problem.family], prompts[index]) for index in flat]
        for place, reply in write_replies(model, encoded, LONGEST, {end}, 96, temperature):
            index = flat[place]
            environment = known[prompts[index].problem.family]
            text = tokenizer.decode(reply, skip_special_tokens=False).removesuffix(chat_format.IM_END)
            reward = environment.reward(environment.task_of(prompts[index].problem, None), [text]) if reply[-1] == end else MALFORMED
            found[index].append(Answer(text, path.name, reward))
    return found


def scored(prompts: Sequence[Prompt], found: Sequence[Sequence[Answer]], model_path: Path, head_path: Path, tokenizer: Tokenizer) -> list[list[Answer]]:
    """The same answers with the reward head's scores."""
    model = load_pretrained(model_path).eval()
    head = Head.load(head_path, model.config.hidden_size)
    result = []
    for prompt, replies in zip(prompts, found, strict=True):
        rewards = head.reward(states_of(model, tokenizer, [([{"role": "user", "content": prompt.question}], a.text) for a in replies])).tolist() if replies else []
        result.append([Answer(a.text, a.by, a.reward, reward) for a, reward in zip(replies, rewards, strict=True)])
    return result


def best_of(replies: Sequence[Answer]) -> Answer | None:
    """The right reply that the reward head puts first; the shortest of them where it says nothing."""
    right = [reply for reply in replies if reply.reward == RIGHT]
    return max(right, key=lambda reply: (reply.score, -len(reply.text))) if right else None


def judged_best(prompts: Sequence[Prompt], found: Sequence[Sequence[Answer]], judge: Judge | None) -> tuple[list[Answer | None], Counter[str]]:
    """Each prompt's reply: the best of the right ones, or the next of them where the judge prefers it in both orders."""
    counts: Counter[str] = Counter()
    best = [best_of(replies) for replies in found]
    if judge is None:
        return best, counts
    seconds = [first and best_of([reply for reply in replies if reply.text != first.text]) for first, replies in zip(best, found, strict=True)]
    open_ = [(at, first, second) for at, (first, second) in enumerate(zip(best, seconds, strict=True)) if first is not None and second is not None]
    for (at, _, second), verdict in zip(open_, consistent(judge, [(prompts[at].question, a.text, b.text) for at, a, b in open_]), strict=True):
        if verdict is None:
            counts["replies of rows: two right, the judge changes its mind with the order, so the first stays"] += 1
        else:
            counts[f"replies of rows: two right, the judge prefers the {'first' if verdict else 'second'} in both orders"] += 1
            best[at] = best[at] if verdict else second
    return best, counts


def row_of(prompt: Prompt, best: Answer | None) -> dict[str, Any]:
    """A conversation to train on, and who answered it."""
    if best is None:
        thought, answer, by = "\n".join(prompt.problem.thought), prompt.problem.answer, "the recipe"
    else:
        thought, _, answer = best.text.partition(chat_format.END_THINK)
        by = best.by
    messages = [{"role": "user", "content": prompt.question}, {"role": "assistant", "reasoning": thought.strip(), "content": answer.strip()}]
    return {"messages": messages, "family": prompt.problem.family, "canonical": prompt.problem.canonical, "source": prompt.source, "by": by}


def pairs_of(prompts: Sequence[Prompt], found: Sequence[Sequence[Answer]], seed: int, judge: Judge | None = None) -> tuple[list[Preference], Counter[str]]:
    """A right reply before a wrong one, by the checker; of two right ones the one that a judge prefers in both orders."""
    rng = random.Random(seed)
    pairs: list[Preference] = []
    counts: Counter[str] = Counter()
    open_: list[tuple[Prompt, Answer, Answer]] = []
    for prompt, replies in zip(prompts, found, strict=True):
        right = [reply for reply in replies if reply.reward == RIGHT]
        wrong = [reply for reply in replies if reply.reward != RIGHT]
        if right and wrong:
            better, worse = best_of(right) or right[0], rng.choice(wrong)
            pairs.append(preference(prompt, better, worse, 3 if worse.reward == MALFORMED else 2, rng))
            counts["pairs by the checker"] += 1
        elif len({reply.text for reply in right}) > 1:
            first = right[0]
            open_.append((prompt, first, next(reply for reply in right if reply.text != first.text)))
        else:
            counts["prompts without a pair: all replies are wrong" if not right else "prompts without a pair: all replies are the same"] += 1
    if judge is None:
        counts["pairs left out: both right, no judge asked"] = len(open_)
        return pairs, counts
    for (prompt, first, second), verdict in zip(open_, consistent(judge, [(p.question, a.text, b.text) for p, a, b in open_]), strict=True):
        if verdict is None:
            counts["pairs left out: both right, the judge changes its mind with the order"] += 1
        else:
            pairs.append(preference(prompt, *((first, second) if verdict else (second, first)), 1, rng))
            counts["pairs by the judge, in both orders"] += 1
    return pairs, counts


def preference(prompt: Prompt, better: Answer, worse: Answer, size: int, rng: random.Random) -> Preference:
    first = rng.random() < 0.5
    texts = (better.text, worse.text) if first else (worse.text, better.text)
    return Preference(({"role": "user", "content": prompt.question},), texts, -size if first else size, prompt.problem.family)


def reward_judge(model_path: Path, head_path: Path, tokenizer: Tokenizer) -> Judge:
    """A reward head as a judge of pairs: it reads each reply by itself, so the order can't matter to it but in ties."""
    model = load_pretrained(model_path).eval()
    head = Head.load(head_path, model.config.hidden_size)

    def judge(pairs: Sequence[tuple[str, str, str]]) -> list[bool]:
        score = lambda which: head.reward(states_of(model, tokenizer, [([{"role": "user", "content": pair[0]}], pair[which]) for pair in pairs])).tolist()
        return [a > b for a, b in zip(score(1), score(2), strict=True)] if pairs else []

    return judge


def pack(rows: Iterable[dict[str, Any]], tokenizer: Tokenizer, others: Path | None, share: float, folder: Path, seed: int) -> dict[str, int]:
    """Rows as an `sft` stage for the trainer; with `others`, a built stage's documents fill all but `share` of the tokens."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    encoder, stage = Encoder(tokenizer, random.Random(seed)), Stage("sft")
    items = [chat_item(row["messages"], row["source"]) for row in rows]
    for ids, mask, source in encoder.encode(items, "sft"):
        stage.tokens.append(np.array(ids, np.uint16))
        stage.masks.append(np.array(mask, np.uint8))
        stage.per_source[source] += len(ids)
    own = sum(map(len, stage.tokens))
    if others is not None:
        wanted, taken = int(own * (1 - share) / share), 0
        tokens, masks = np.fromfile(others / "sft.tokens.bin", np.uint16), np.fromfile(others / "sft.mask.bin", np.uint8)
        starts = np.fromfile(others / "sft.docs.bin", np.uint32).tolist()
        for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
            if taken >= wanted:
                break
            stage.tokens.append(tokens[start:end])
            stage.masks.append(masks[start:end])
            taken += end - start
    stage.write(folder, random.Random(seed), "sft")
    for suffix in ("tokens", "mask", "docs"):
        (folder / f"sft.{suffix}").replace(folder / f"sft.{suffix}.bin")
    tokenizer.save(str(folder / "tokenizer.json"))
    return {"own": own, "all": sum(map(len, stage.tokens))}


def judged_by(args: argparse.Namespace) -> str:
    """Who chose among replies, in this order."""
    others = [*(["reward head"] if args.reward else []), *([f"{args.judge.resolve().name} in both orders"] if args.judge else [])]
    return "checker, then " + ", then ".join(others) if others else "checker alone: neither a reward head nor a judge was given"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoints", type=Path, nargs="+", required=True, help="who answers; the first one reads for the reward head")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--base", type=Path, help="base.pt of training/lagoon_base.py, which paraphrases")
    parser.add_argument("--base-tokenizer", type=Path)
    parser.add_argument("--reward", type=Path, help="a head of posttraining/reward.py; without one the checker alone chooses")
    parser.add_argument("--judge", type=Path, help="checkpoint that judges two right replies in both orders; without one the reward head does")
    parser.add_argument("--stories", type=int, default=40, help="short stories to retell, with --base")
    parser.add_argument("--corpora", type=Path, help="its EVAL_ONLY files are test sets to keep away from")
    parser.add_argument("--prompts", type=int, default=150)
    parser.add_argument("--statements", type=int, default=150, help="problems to put into other words")
    parser.add_argument("--each", type=int, default=2, help="paraphrases of each")
    parser.add_argument("--answers", type=int, default=2, help="replies of each checkpoint")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--mix", type=Path, help="a folder of data.build whose documents fill the packed stage")
    parser.add_argument("--share", type=float, default=0.5, help="of the packed tokens, the pipeline's rows")
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    began, table = time.process_time(), Counter[str]()
    tokenizer = Tokenizer.from_file(str(DEFAULT_DIR / "tokenizer.json"))
    kept = args.out / "prompts.json"
    if kept.exists():
        stored = json.loads(kept.read_text())
        table.update(stored["table"])
        prompts = [Prompt(Problem(**{**p["problem"], "thought": tuple(p["problem"]["thought"]), "turns": (), "tools": ()}), p["question"], p["source"]) for p in stored["prompts"]]
    else:
        prompts = write_prompts(args, table)
        kept.write_text(json.dumps({"table": table, "prompts": [asdict(prompt) for prompt in prompts]}))
    retold = args.out / "stories.json"
    if args.base is not None and args.stories and not retold.exists():
        told: Counter[str] = Counter()
        retold.write_text(json.dumps({"rows": write_stories(args, told), "table": told}))
    stories = json.loads(retold.read_text()) if retold.exists() else {"rows": [], "table": {}}
    table.update(stories["table"])
    print(f"{len(prompts)} prompts, {time.process_time() - began:.0f} s of a core", flush=True)
    found = answers(prompts, args.checkpoints, tokenizer, args.answers, args.temperature, args.seed)
    judge: Judge | None = None
    if args.reward is not None:
        found, judge = scored(prompts, found, args.checkpoints[0], args.reward, tokenizer), reward_judge(args.checkpoints[0], args.reward, tokenizer)
    if args.judge is not None:
        try:
            judge = ModelJudge(load_pretrained(args.judge).eval(), tokenizer).prefers
        except JudgeError as error:
            print(f"pipeline: {error}", file=sys.stderr)
            return 1
    for replies in found:
        for reply in replies:
            table[f"replies of {reply.by}: " + ("right" if reply.reward == RIGHT else "out of form" if reply.reward == MALFORMED else "wrong")] += 1
    best, chosen = judged_best(prompts, found, judge)
    table.update(chosen)
    rows = [row_of(prompt, reply) for prompt, reply in zip(prompts, best, strict=True)] + stories["rows"]
    for row in rows:
        table[f"rows by {row['source']}, answered by {row['by']}"] += 1
    pairs, counts = pairs_of(prompts, found, args.seed, judge)
    table.update(counts)
    (args.out / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    write_preferences(args.out / "pairs.jsonl", pairs)
    sizes = pack(rows, tokenizer, args.mix, args.share, args.out / "packed", args.seed)
    record = {"judge": judged_by(args), "kept": dict(sorted(table.items())), "tokens": sizes, "coreSeconds": round(time.process_time() - began)}
    (args.out / "table.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
