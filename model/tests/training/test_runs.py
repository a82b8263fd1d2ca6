"""The run scripts from end to end with `micro` at a toy length: stops, resumes, packages, passes its parts on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tidepool_model.architecture.model import load_pretrained
from tidepool_model.export import parts

RUNS = Path(__file__).parents[2] / "runs"
SMALL = {
    "PYTHON": sys.executable, "OMP_NUM_THREADS": "1", "TOKENS": "40000 40000", "STAGES": "pretrain:6,sft:9",
    "EXTRA": "--report 1 --evaluate 5 --threads 1 --save-minutes 0",
}  # fmt: skip

pytestmark = pytest.mark.slow


def call(script: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {k: v for k, v in os.environ.items() if k != "TIDEPOOL_CORPORA"} | SMALL | environment
    return subprocess.run([RUNS / script, *map(str, arguments)], env=variables, capture_output=True, text=True, timeout=300, check=False)


def test_a_run_stops_goes_on_and_packages(tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "model"
    stopped = call("run.sh", "micro", work, MINUTES="0.002", OUT=str(out))
    assert stopped.returncode == 3 and "nothing is packaged yet" in stopped.stderr, stopped.stderr
    assert not out.exists() and (work / "run" / "state.pt").exists()
    done = call("run.sh", "micro", work, OUT=str(out))
    assert done.returncode == 0, done.stderr
    assert "resumed at step" in done.stdout and "finished: step 15 of 15" in done.stdout
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["provenance"]["steps"] == 15
    assert str(tmp_path) not in json.dumps(manifest)
    for file in manifest["files"]:
        assert (out / file["path"]).stat().st_size == file["bytes"]
    assert "0.40 M parameters" in (out / "README.md").read_text()


def test_a_missing_corpus_and_an_unknown_preset_stop_before_anything_is_made(tmp_path: Path) -> None:
    missing = call("run.sh", "micro", tmp_path / "work", tmp_path / "no-corpora")
    assert missing.returncode == 2 and f"no corpora folder at {tmp_path / 'no-corpora'}" in missing.stderr, missing.stderr
    assert not list((tmp_path / "work").rglob("*.bin"))
    unknown = call("run.sh", "giant", tmp_path / "other")
    assert unknown.returncode == 2 and "there are micro, mini, small, base" in unknown.stderr
    assert not (tmp_path / "other").exists()
    system = call("family.sh", "mixture", tmp_path / "family")
    assert system.returncode == 2 and "there are control, moe, latent-moe" in system.stderr and not (tmp_path / "family").exists()


def test_a_lease_of_short_calls_passes_all_parts_on(tmp_path: Path) -> None:
    """Each call gets an empty folder, as on the lent machine; the training process is killed once in between."""
    work, gathered = tmp_path / "work", tmp_path / "gathered"
    gathered.mkdir()
    environment = {"WORK": str(work), "MIB": "0.5", "MOST": "2", "STAGES": "pretrain:30,sft:60"}
    said: list[str] = []
    killed = False
    for number in range(60):
        out = tmp_path / f"out{number}"
        answer = call("lease.sh", "micro", "", out, "2", **environment)
        said.append(answer.stdout + answer.stderr)
        if not killed and (work / "run" / "state.pt").exists() and "STILL TRAINING" in answer.stdout:
            os.killpg(int((work / "pid").read_text()), signal.SIGKILL)
            time.sleep(0.5)
            killed = True
        assert len(list(out.iterdir())) <= 8
        for file in out.iterdir():
            (gathered / file.name).write_bytes(file.read_bytes())
        if " 0 left" in answer.stdout:
            break
    assert killed and any("resumed at step" in text for text in said), said
    whole = parts.join(gathered, tmp_path / "checkpoint.safetensors")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    whole.rename(folder / "model.safetensors")
    (gathered / "config.json").rename(folder / "config.json")
    there = load_pretrained(work / "run" / "checkpoint").state_dict()
    assert all(torch.equal(value, there[name]) for name, value in load_pretrained(folder).state_dict().items())
