"""Trains a preset through its stages; resumes after a stop at any point. One command a run, one JSON line a report.

    python -m tidepool_model.training.train --preset small --data DIR --run DIR --stages pretrain:1500,sft:1500

Stages are `name:steps`, read from the data's files; a module above may hand in stages that the model samples itself
(posttraining/reinforce.py). The learning rate follows one warm-up/stable/decay curve over all of them. With --finish-minutes
the run ends, fully decayed, after that much training time at the latest: each stage keeps its share of the run.

On several CPU cores each takes its rows of every batch in a process of its own (threads of one process spend their time
waiting for each other at this size): `--processes 2`, with the same result as one process but for rounding. Sampled stages
and passed-on states run in one process only.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as distributed
from tokenizers import Tokenizer
from tqdm import tqdm

from ..architecture.attention import KeyValueCache
from ..architecture.config import ModelConfig, preset
from ..architecture.mamba2 import MambaState
from ..architecture.model import HybridLM, ModelState, document_mask, load_pretrained, save_pretrained
from ..data.packing import IGNORED, Batch, DataError, PackedStage
from .balance import BIAS_TRAVEL, move_biases, sequence_loss
from .compiling import use_narrow_vectors
from .optimiser import build_optimisers, schedule
from .precision import RECIPES, emulate

END_OF_TURN, PAD, END_OF_TEXT = "<|im_end|>", "<|pad|>", "<|endoftext|>"
COMMAND = "tidepool_model.training.train"
AVOIDED_WEIGHT = 0.5  # of the tokens to avoid beside those to say; they are few, so their mean counts less than a batch's

Sampler = Callable[[HybridLM, Tokenizer, int, int, int, int], Iterator[Batch]]
"""Endless batches that the model makes itself: (model, tokenizer, rows, length, seed, how many to leave out)."""


@dataclass(frozen=True)
class Stage:
    name: str
    steps: int


def parse_stages(text: str) -> list[Stage]:
    """`pretrain:1500,sft:1500` -> stages; raises ValueError that shows the form."""
    try:
        stages = [Stage(name, int(steps)) for name, steps in (part.split(":") for part in text.split(","))]
    except ValueError:
        raise ValueError(f"--stages {text!r} is not of the form name:steps,name:steps") from None
    return stages


def commit_hash() -> str:
    """The recipe's commit; a lent machine has the files but no .git, so there it comes from TIDEPOOL_COMMIT."""
    if named := os.environ.get("TIDEPOOL_COMMIT"):
        return named
    try:
        found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    except OSError:  # no git there
        return "unknown"
    return found.stdout.strip() or "unknown"


def carried_state(state: ModelState | None, carries: torch.Tensor) -> ModelState | None:
    """The Mamba states for the next batch, without gradient, zero in rows that begin anew; `carries` (rows,) bool."""
    if state is None:
        return None
    layers: dict[int, MambaState | KeyValueCache] = {}
    for index, layer in state.layers.items():
        if isinstance(layer, MambaState):
            keep = carries.to(layer.ssm.device)
            layers[index] = MambaState(layer.conv.detach() * keep[:, None, None], layer.ssm.detach() * keep[:, None, None, None])
    return ModelState(layers)


def forward_loss(
    model: HybridLM,
    backbone: torch.nn.Module,
    batch: Batch,
    device: str,
    bf16: bool,
    state: ModelState | None = None,
    teacher: HybridLM | None = None,
) -> tuple[torch.Tensor, ModelState | None]:
    """Mean cross-entropy (nats) of one packed batch, and its last states where rows may go on in the next batch.

    With a teacher it is the mean forward KL to the teacher's next-token chances, at the same targets and temperature 1.
    """
    tokens, targets, starts = (t.to(device, non_blocking=True) for t in (batch.tokens, batch.targets, batch.starts))
    weights = None if batch.weights is None else batch.weights.to(device, non_blocking=True)
    with torch.autocast(device, torch.bfloat16, enabled=bf16):
        if batch.carries is None:
            hidden, after = backbone(tokens, starts, document_mask(starts))
        else:
            hidden, after = backbone(tokens, starts, document_mask(starts), carried_state(state, batch.carries), True)
        if teacher is not None:
            with torch.no_grad():
                taught, _ = teacher.model(tokens, starts, document_mask(starts))
            return distillation_loss(model, hidden, teacher, taught, targets), after
        loss = model.loss(hidden, targets, weights)
        if batch.avoided is not None:
            loss = loss + AVOIDED_WEIGHT * unlikelihood(model, hidden, batch.avoided.to(device, non_blocking=True))
        return loss, after


def unlikelihood(model: HybridLM, hidden: torch.Tensor, avoided: torch.Tensor) -> torch.Tensor:
    """Mean -log(1 - p) of the tokens named in `avoided` (batch, seq), in nats; 0 where none is (Welleck et al., arXiv 1908.04319)."""
    chosen = avoided != IGNORED  # (batch, seq)
    if not chosen.any():
        return hidden.new_zeros(())
    chances = model.logits(hidden[chosen]).float().softmax(-1).gather(1, avoided[chosen][:, None])  # (chosen, 1)
    return -torch.log1p(-chances.clamp(max=1 - 1e-6)).mean()


def distillation_loss(
    model: HybridLM, hidden: torch.Tensor, teacher: HybridLM, taught: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """Mean KL of the student's from the teacher's next-token chances, in nats, where targets (batch, seq) count."""
    chosen = targets != IGNORED  # (batch, seq)
    student = model.logits(hidden[chosen]).float().log_softmax(-1)  # (chosen, vocab)
    with torch.no_grad():
        aim = teacher.logits(taught[chosen]).float().log_softmax(-1)  # (chosen, vocab)
    return torch.nn.functional.kl_div(student, aim, reduction="batchmean", log_target=True)


def layerwise_loss(model: HybridLM, teacher: HybridLM, batch: Batch) -> torch.Tensor:
    """Mean over the teacher's Mamba layers of the squared error of `model`'s mixer there, by the output's own mean square.

    Each mixer reads what the teacher's reads, so that all learn at once and none waits for those below it. 0 where it says the same, 1
    where it says nothing.
    """
    tokens, starts = (t.to(teacher.lm_head.weight.device) for t in (batch.tokens, batch.starts))
    mask = document_mask(starts)
    errors = []
    x = teacher.model.embeddings(tokens).detach()  # (batch, seq, hidden)
    for layer, own in zip(teacher.model.layers, model.model.layers, strict=True):
        with torch.no_grad():
            after, _ = layer(x, None, starts, mask, False)
        if layer.letter == "M":
            wanted = after - x
            said = own(x, None, starts, mask, False)[0] - x
            errors.append((said - wanted).square().mean() / wanted.square().mean())
        x = after
    return torch.stack(errors).mean()


class Team:
    """The processes of a run; number 0 is the one that was started, and it alone writes and reports. Gloo joins them."""

    def __init__(self, size: int, device: str, command: str) -> None:
        self.size, self.rank = size, 0
        self.others: list[subprocess.Popen[bytes]] = []
        if size == 1:
            return
        self.rank = int(os.environ.get("TIDEPOOL_RANK", "0"))
        if device != "cpu":
            raise ValueError(f"--processes {size} on {device}: several processes are for CPU cores; leave it out on a GPU")
        if self.rank == 0:
            store = distributed.TCPStore("127.0.0.1", 0, size, is_master=True, wait_for_workers=False)
            for rank in range(1, size):
                environment = {**os.environ, "TIDEPOOL_RANK": str(rank), "TIDEPOOL_PORT": str(store.port)}
                self.others.append(subprocess.Popen([sys.executable, "-m", command, *sys.argv[1:]], env=environment))
        else:
            store = distributed.TCPStore("127.0.0.1", int(os.environ["TIDEPOOL_PORT"]), size, is_master=False)
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[self.rank % len(cores)]})
        torch.set_num_threads(1)
        distributed.init_process_group("gloo", store=store, rank=self.rank, world_size=size)

    def close(self) -> None:
        """Waits for the other processes, which end by themselves."""
        if self.size > 1:
            distributed.destroy_process_group()
        for other in self.others:
            other.wait()

    def share(self, batch: Batch) -> Batch:
        """This process' rows of a batch; raises ValueError where they can't be shared out."""
        if self.size == 1:
            return batch
        if batch.carries is not None or batch.weights is not None:
            raise ValueError("passed-on states and sampled batches train in one process; leave --processes out")
        if len(batch.tokens) % self.size:
            raise ValueError(f"{len(batch.tokens)} rows a step can't be shared by {self.size} processes; change --rows")
        mine = slice(self.rank, None, self.size)
        return Batch(batch.tokens[mine], batch.targets[mine], batch.starts[mine], avoided=None if batch.avoided is None else batch.avoided[mine])

    def sum(self, *numbers: float) -> list[float]:
        """Each number's sum over the processes."""
        if self.size == 1:
            return list(numbers)
        said = torch.tensor(numbers, dtype=torch.float64)
        distributed.all_reduce(said)
        return said.tolist()

    def add_up(self, tensors: list[torch.Tensor]) -> None:
        """Replaces each tensor by its sum over the processes, in one message."""
        flat = torch.cat([t.flatten() for t in tensors])
        distributed.all_reduce(flat)
        for tensor, summed in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(summed.view_as(tensor))


class Run:
    """One training run in a folder: state.pt to resume from, log.jsonl, checkpoint/ in Hugging Face form, and FINISHED once it is."""

    def __init__(self, options: argparse.Namespace, samplers: Mapping[str, Sampler] | None = None, command: str = COMMAND) -> None:
        self.options = options
        self.samplers, self.command = samplers or {}, command
        self.folder = Path(options.run)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = Path(options.data)
        self.stages = parse_stages(options.stages)
        self.total = sum(stage.steps for stage in self.stages)
        torch.manual_seed(options.seed)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        if self.device == "cpu" and options.threads:
            torch.set_num_threads(options.threads)
        self.team = Team(options.processes, self.device, command)
        tokenizer = Tokenizer.from_file(str(self.data / "tokenizer.json"))
        self.special = {
            "eos_token_id": tokenizer.token_to_id(END_OF_TURN),
            "pad_token_id": tokenizer.token_to_id(PAD),
            "bos_token_id": tokenizer.token_to_id(END_OF_TEXT),
        }
        if options.layerwise and (not options.teacher or options.processes > 1):
            raise ValueError("--layerwise needs a --teacher to learn from and one process")
        if not options.preset and not options.init:
            raise ValueError("name a --preset, or a checkpoint with --init whose shape the run takes")
        config = (
            preset(options.preset, tokenizer.get_vocab_size()) if options.preset else ModelConfig.from_hf(Path(options.init) / "config.json")
        )
        self.model = HybridLM(config).to(self.device)
        emulate(self.model, options.precision)
        self.teacher = load_pretrained(Path(options.teacher)).to(self.device).eval() if options.teacher else None
        self.violations: list[float] = []  # MaxVio of the steps since the last report
        self.optimisers = build_optimisers(self.model, options.lr, options.weight_decay)
        self.step = 0
        self.tokens_seen = 0
        self.seconds = 0.0
        self.asked_to_stop = False
        self.stopping = False  # asked of this process or of another of its team
        self.state: ModelState | None = None  # of the last batch's rows, for documents that go on in the next
        self.commit = commit_hash()
        self.continues: dict | None = None  # what the weights went through before this run, from --init's provenance.json
        if options.init:
            before = Path(options.init) / "provenance.json"
            kept = ("command", "commit", "steps", "tokens", "seconds", "grown_to", "continues")
            self.continues = {k: v for k, v in json.loads(before.read_text()).items() if k in kept} if before.exists() else {}
        self.backbone: torch.nn.Module = self.model.model
        if options.compile:
            # A machine that can't compile (no C compiler, a kernel that Triton refuses) trains on uncompiled, and says so.
            torch._dynamo.config.suppress_errors = True
            use_narrow_vectors()
            self.backbone = torch.compile(self.model.model)  # type: ignore[assignment]

    # -- checkpoints ---------------------------------------------------------------------------------------------

    @property
    def state_path(self) -> Path:
        return self.folder / "state.pt"

    def save(self) -> None:
        """Writes the resumable state and the Hugging Face checkpoint, each by rename."""
        if self.team.rank:
            return
        part = self.state_path.with_suffix(".part")
        torch.save(
            {
                "model": self.model.state_dict(),
                "optimisers": [o.state_dict() for o in self.optimisers],
                "step": self.step,
                "tokens_seen": self.tokens_seen,
                "seconds": self.seconds,
                "state": {} if self.state is None else {i: (s.conv, s.ssm) for i, s in self.state.layers.items() if isinstance(s, MambaState)},
                "options": vars(self.options),
            },
            part,
        )
        os.replace(part, self.state_path)
        save_pretrained(self.model, self.folder / "checkpoint", self.special, self.provenance())

    def provenance(self) -> dict:
        return {
            "preset": self.options.preset or Path(self.options.init).name,
            "parameters": self.model.parameter_count,
            "commit": self.commit,
            "seed": self.options.seed,
            "command": f"python -m {self.command} " + " ".join(Path(a).name if a.startswith("/") else a for a in sys.argv[1:]),
            "steps": self.tokens_seen // (self.options.rows * self.options.length),  # those that time cut off don't count
            "planned_steps": self.total,
            "tokens": self.tokens_seen,
            "seconds": round(self.seconds),
            "device": torch.cuda.get_device_name() if self.device == "cuda" else "cpu",
            **({} if self.continues is None else {"continues": self.continues}),
            "data": json.loads((self.data / "meta.json").read_text()) if (self.data / "meta.json").exists() else {},
        }

    def resume(self) -> bool:
        """Takes up state.pt if there is one; a broken file is an error that says so, never a silent restart."""
        if not self.state_path.exists():
            return False
        try:
            state = torch.load(self.state_path, map_location=self.device, weights_only=True)
        except Exception as error:
            raise SystemExit(
                f"{self.state_path} can't be read ({self.state_path.stat().st_size} bytes: {error}); "
                "it was cut short: remove it to start again from nothing, or copy it anew"
            ) from error
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        kept = state.get("state") or {}
        self.state = ModelState({i: MambaState(conv, ssm) for i, (conv, ssm) in kept.items()}) if kept else None
        self.step, self.tokens_seen, self.seconds = state["step"], state["tokens_seen"], state["seconds"]
        return True

    # -- the loop ------------------------------------------------------------------------------------------------

    def source(self, stage: Stage, skip: int) -> Iterator[Batch]:
        """The stage's batches after the first `skip`: from the data's files, or sampled from the model."""
        options = self.options
        if sample := self.samplers.get(stage.name):
            tokenizer = Tokenizer.from_file(str(self.data / "tokenizer.json"))
            return sample(self.model, tokenizer, options.rows, options.length, options.seed, skip)
        if stage.name == "reinforce":
            raise ValueError("the stage `reinforce` samples its own batches: start the run with python -m tidepool_model.posttraining.reinforce")
        return PackedStage(self.data, stage.name).batches(options.rows, options.length, options.seed, skip=skip)

    def progress(self) -> float:
        """How much of the run is done, 0 to 1 and above: by steps or by time, whichever is further."""
        by_time = self.seconds / (self.options.finish_minutes * 60) if self.options.finish_minutes else 0.0
        return max(self.step / self.total, by_time)

    def train_step(self, batch: Batch) -> torch.Tensor:
        """One step; gives the loss as a tensor, so that a GPU goes on while the next batch is packed."""
        factor = schedule(self.progress(), decay=self.options.decay)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = self.options.lr * factor
            optimiser.zero_grad(set_to_none=True)
        batch = self.team.share(batch)
        if self.options.layerwise and self.teacher is not None:
            loss = layerwise_loss(self.model, self.teacher, batch)
        else:
            loss, self.state = forward_loss(self.model, self.backbone, batch, self.device, self.options.bf16, self.state, self.teacher)
        if self.team.size > 1:  # each process' mean counts by its targets, so that the sum is the whole batch's mean
            own = int((batch.targets != IGNORED).sum())
            loss = loss * (own / self.team.sum(own)[0])
        balance = sequence_loss(self.model)
        (loss if balance is None else loss + balance / self.team.size).backward()
        if self.team.size > 1:
            loss = loss.detach()
            self.team.add_up([loss, *(p.grad for p in self.model.parameters() if p.grad is not None)])
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        violation = move_biases(self.model, BIAS_TRAVEL / self.total, self.team.add_up if self.team.size > 1 else None)
        if violation is not None:
            self.violations.append(violation)
        return loss.detach()

    @torch.no_grad()
    def held_out_loss(self, batches: int = 4) -> float | None:
        """Mean loss (nats a token) over the first rows of `held_out`; None when the data has no such stage."""
        try:
            stage = PackedStage(self.data, "held_out")
        except DataError:
            return None
        source = stage.batches(self.options.rows, self.options.length, seed=0)
        losses, state = [], None
        for _ in range(batches):  # uncompiled: without gradients it would be compiled anew
            loss, state = forward_loss(self.model, self.model.model, next(source), self.device, self.options.bf16, state)
            losses.append(loss.item())
        return sum(losses) / len(losses)

    def report(self, log: object, stage: Stage, loss: float, rate: float, **more: float | None) -> None:
        peak = torch.cuda.max_memory_allocated() / 2**20 if self.device == "cuda" else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if self.team.rank:
            return
        line = {"step": self.step, "stage": stage.name, "loss": round(loss, 4), "tokens_per_second": round(rate), "memory_mib": round(peak), "seconds": round(self.seconds), **more}
        log.write(json.dumps(line) + "\n")  # type: ignore[attr-defined]
        log.flush()  # type: ignore[attr-defined]

    def train(self) -> None:
        options = self.options
        resumed = self.resume()
        if not resumed and options.init:
            self.model.load_state_dict(load_pretrained(Path(options.init)).state_dict())
        where = self.device if self.team.size == 1 else f"{self.team.size} {self.device} cores"
        if self.team.rank == 0:
            print(f"{options.preset or Path(options.init).name}: {self.model.parameter_count / 1e6:.2f} M parameters on {where}, {'resumed at' if resumed else 'from'} step {self.step} of {self.total}", flush=True)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "asked_to_stop", True))
        signal.signal(signal.SIGINT, lambda *_: setattr(self, "asked_to_stop", True))
        limit = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
        last_save = time.monotonic()
        bar = tqdm(total=self.total, initial=self.step, mininterval=10, file=sys.stdout, dynamic_ncols=False, ncols=100, disable=self.team.rank > 0)
        with (self.folder / "log.jsonl").open("a") as log:
            begun = 0
            for stage in self.stages:
                inside = self.step - begun
                if inside < stage.steps:
                    source = self.source(stage, inside)
                    if not inside:
                        self.state = None
                    losses: list[float] = []
                    since = time.monotonic()
                    end = begun + stage.steps
                    batch = next(source)
                    while self.step < end and self.progress() < end / self.total and not self.stopping:
                        before = time.monotonic()
                        loss = self.train_step(batch)
                        batch = next(source)
                        losses.append(loss.item())
                        first = self.team.rank == 0
                        asked, self.seconds = self.team.sum(
                            self.asked_to_stop or time.monotonic() > limit, (self.seconds + time.monotonic() - before) * first
                        )
                        self.stopping = asked > 0
                        self.step += 1
                        self.tokens_seen += options.rows * options.length
                        bar.update()
                        if self.step % options.report == 0:
                            rate = len(losses) * options.rows * options.length / (time.monotonic() - since)
                            mean = sum(losses) / len(losses)
                            more = {"held_out": round(held, 4)} if self.step % options.evaluate == 0 and (held := self.held_out_loss()) is not None else {}
                            if self.violations:
                                more["max_violation"] = round(sum(self.violations) / len(self.violations), 3)
                                self.violations = []
                            self.report(log, stage, mean, rate, **more)
                            bar.set_postfix_str(f"{stage.name} loss {mean:.3f} {rate:.0f} tok/s {more.get('held_out', '')}")
                            losses, since = [], time.monotonic()
                        if time.monotonic() - last_save > options.save_minutes * 60:
                            self.save()
                            last_save = time.monotonic()
                    if self.step < end and self.progress() >= end / self.total:  # out of time for this stage
                        bar.update(end - self.step)
                        self.step = end
                begun += stage.steps
                if self.stopping:
                    break
        self.save()
        bar.close()
        self.team.close()
        if self.team.rank:
            return
        if self.step >= self.total:
            (self.folder / "FINISHED").touch()
        print(f"{'finished' if self.step >= self.total else 'stopped, run the same command to go on'}: step {self.step} of {self.total}, {self.tokens_seen / 1e6:.1f} M tokens, {self.seconds:.0f} s -> {self.folder / 'checkpoint'}")


def main(samplers: Mapping[str, Sampler] | None = None, command: str = COMMAND) -> None:
    """The command line; `samplers` are the stages that the module `command` adds to those of the data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", help="shape of the model; left out, that of --init")
    parser.add_argument("--data", required=True, help="folder that tidepool_model.data.build wrote")
    parser.add_argument("--run", required=True, help="folder of this run; the same folder resumes it")
    parser.add_argument("--stages", default="pretrain:1500,sft:1500")
    parser.add_argument("--init", help="checkpoint folder whose weights a new run starts from")
    parser.add_argument("--rows", type=int, default=16, help="rows a step")
    parser.add_argument("--length", type=int, default=512, help="tokens a row")
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--decay", type=float, default=0.4, help="share of the run in which the rate falls")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=0, help="stop, resumable, after this long; 0 = never")
    parser.add_argument("--finish-minutes", type=float, default=0, help="most training time of the whole run, decay and all; 0 = as long as the steps take")
    parser.add_argument("--save-minutes", type=float, default=5)
    parser.add_argument("--report", type=int, default=20, help="steps between log lines")
    parser.add_argument("--evaluate", type=int, default=200, help="steps between held-out losses; a multiple of --report")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1, help="processes that share the rows of a step, one CPU core each")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--precision", choices=sorted(RECIPES), default="plain", help="number format that the layers' products are emulated in")
    parser.add_argument("--teacher", help="checkpoint folder whose next-token chances are the target, instead of the text")
    parser.add_argument("--layerwise", action="store_true", help="with --teacher: each mixer in place of a Mamba layer learns that layer's output by itself (one process, float32)")
    parser.add_argument("--no-bf16", dest="bf16", action="store_false")
    options = parser.parse_args()
    try:
        Run(options, samplers, command).train()
    except (DataError, ValueError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
