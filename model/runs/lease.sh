#!/usr/bin/env bash
# Trains a preset on a machine that is lent for short calls (10 minutes) and passes on few files (8 of 16 MiB) a call.
# The same command again and again until it says that nothing is left:
#   model/runs/lease.sh PRESET CORPORA.tar.xz OUT [SECONDS]
# The first call starts run.sh in a process session of its own, which outlives the call; each call waits up to SECONDS
# (default 560) for it, shows the log's end and copies log and state of things to OUT. Once training has finished, each
# call copies the next MOST (default 4) parts of the checkpoint, and parts.json with its small files, to OUT.
# On the other side: put the parts of all calls into one folder, then
#   python -m tidepool_model.export.parts join FOLDER --out CHECKPOINT/model.safetensors   (config.json, provenance.json beside it)
# WORK (default /tmp/tidepool-PRESET) is the run's folder; MIB (default 15) the size of a part; run.sh names the rest.
# TIDEPOOL_COMMIT names the recipe's commit: the lent machine gets the files, not the repository.
set -euo pipefail
preset=${1:?preset: micro, mini, small or base} archive=${2:-} out=${3:?folder that is copied back} seconds=${4:-560}
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
work=$(realpath -m "${WORK:-/tmp/tidepool-$preset}")
mkdir -p "$work" "$out"
log=$work/log.txt

corpora=
if [[ -n $archive ]]; then
  [[ -r $archive ]] || { echo "no corpora archive at $archive; carry it along, or give '' for generated text only" >&2; exit 2; }
  corpora=$work/corpora
  [[ -d $corpora ]] || { mkdir "$work/unpack" && tar -xJf "$archive" -C "$work/unpack" && mv "$work/unpack/corpora" "$corpora"; }
fi

is_running() { [[ -r $work/pid ]] && kill -0 "$(<"$work/pid")" 2>/dev/null; }
if [[ ! -e $work/run/FINISHED ]] && ! is_running; then
  UNTIL=train setsid nohup "$here/run.sh" "$preset" "$work" "$corpora" >> "$log" 2>&1 < /dev/null &
  echo $! > "$work/pid"
fi
for ((waited = 0; waited < seconds; waited++)); do
  is_running || break
  sleep 1
done
tail -c 4000 "$log" | tr '\r' '\n' | tail -n 12
cp "$log" "$out/log.txt"
[[ ! -e $work/run/log.jsonl ]] || cp "$work/run/log.jsonl" "$out/"
if [[ ! -e $work/run/FINISHED ]]; then
  if is_running; then echo "STILL TRAINING: call again."; else echo "STOPPED before the end (log above): call again to go on." >&2; exit 1; fi
  exit 0
fi
cd "$here/.."
[[ -e $work/parts/parts.json ]] ||
  "${PYTHON:-python3}" -m tidepool_model.export.parts split "$work/run/checkpoint/model.safetensors" --mib "${MIB:-15}" --out "$work/parts"
rm -f "$out/log.jsonl"
cp "$work/parts/parts.json" "$work/run/checkpoint/config.json" "$work/run/checkpoint/provenance.json" "$out/"
mkdir -p "$work/passed"
left=0 taken=0
for part in "$work"/parts/model.safetensors.[0-9]*; do
  [[ -e $work/passed/${part##*/} ]] && continue
  if ((taken < ${MOST:-4})); then
    cp "$part" "$out/" && touch "$work/passed/${part##*/}"
    taken=$((taken + 1))
  else
    left=$((left + 1))
  fi
done
echo "FINISHED: $taken parts copied, $left left$([[ $left == 0 ]] || echo ': call again')."
