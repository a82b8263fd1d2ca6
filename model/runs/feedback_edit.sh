#!/usr/bin/env bash
# Draft, feedback, edit: rows from the shipped `small`, taught on, measured, packaged. Run it again to go on after a stop.
#   model/runs/feedback_edit.sh WORK_FOLDER [CORPORA]
# From the environment: PYTHON the interpreter; PROBLEMS drafts to teach from; MINUTES of training; EACH held-out problems a family.
set -euo pipefail
work=$(realpath -m "${1:?WORK_FOLDER}")
corpora=${2:-${TIDEPOOL_CORPORA:-}}
[[ -z $corpora ]] || corpora=$(realpath -m "$corpora")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}
models=../public/models
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

if [[ ! -e $work/data/meta.json ]]; then
  "$python" -m tidepool_model.data.build --out "$work/data" ${corpora:+--corpora "$corpora"} \
    --pretrain-tokens 100000 --sft-tokens 1500000 --held-out-tokens 120000 --seed 31
fi
cp tokenizer/tokenizer.json "$work/data/"
[[ -e $work/small/config.json ]] || "$python" -m tidepool_model.export.restore $models/tidepool --out "$work/small"
[[ -e $work/data/roles.json ]] ||
  "$python" -m tidepool_model.posttraining.feedback_edit rows --checkpoint "$work/small" --data "$work/data" --problems "${PROBLEMS:-2000}"
[[ -e $work/run/FINISHED ]] || "$python" -m tidepool_model.training.train --data "$work/data" --run "$work/run" --init "$work/small" \
  --stages "roles:${STEPS:-900}" --rows 4 --length 512 --lr 3e-4 --decay 0.9 --no-bf16 --finish-minutes "${MINUTES:-14}" --threads 1 --report 10 --evaluate 1000000
cp "$work/data/roles.json" "$work/run/checkpoint/"
"$python" -m tidepool_model.posttraining.feedback_edit measure --checkpoint "$work/run/checkpoint" --control "$work/small" \
  --journal "$work/journal" --each "${EACH:-40}" --out "$work/figures.json"
"$python" -m tidepool_model.export.package --checkpoint "$work/run/checkpoint" --tokenizer tokenizer --out $models/tidepool-feedback --variants q4,quantized \
  --calibration "$work/data/sft.tokens.bin" --held-out "$work/data/held_out.tokens.bin" --provenance "made_from=\`tidepool\`'s weights (taught to draft, check and mend)"
"$python" -m tidepool_model.export.card $models/tidepool-feedback
