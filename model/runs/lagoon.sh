#!/usr/bin/env bash
# Lagoon from SmolLM2-135M-Instruct: base, conversion block by block, the 4-bit grid, teaching. Run again to go on after a stop.
#   model/runs/lagoon.sh WORK CORPORA
# MORE=1: no conversion; teaches on from what public/models/lagoon ships (with other documents: SEED)
# MINUTES of teaching (default 62), PROCESSES (default 2), DISTIL_STEPS (default 345), DOCUMENTS taught (default 14000), SEED (7)
set -euo pipefail
work=$1 corpora=$2
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python}
fixtures=../tests/fixtures/eval
# A threshold of 1 GB made the trainer grow by 0.25 GB a minute: logits have another size each row.
export OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=1073741824
run() { "$python" -m "tidepool_model.$@"; }

[[ -e $work/plain.npy ]] || run training.lagoon_base "$work" --corpora "$corpora"
if [[ ${MORE:-} ]]; then
  [[ -e $work/start/model.safetensors ]] || run export.unpack_hybrid ../public/models/lagoon "$work/start"
else
  run training.distil --base "$work/base.pt" --rows "$work/plain.npy:0.65" "$work/chat.npy:0.35" --run "$work/layerwise" \
    --steps "${DISTIL_STEPS:-345}" --processes "${PROCESSES:-2}" --compile
fi
run data.lagoon.replies --base "$work/base.pt" --tokenizer "$work" --corpora "$corpora" --out "$work/replies.jsonl" --count "${REPLIES:-1600}"
[[ -e $work/start/model.safetensors ]] || run training.calibrate_hybrid "$work/base.pt" "$work/layerwise/layerwise.pt" "$work/start" \
  --rows "$work/plain.npy" "$work/chat.npy"
[[ -e $work/taught/taught.npz ]] || run data.lagoon.mix --tokenizer "$work" --corpora "$corpora" --replies "$work/replies.jsonl" \
  --measured "$fixtures/visitors.json" "$fixtures/problems.json" "$corpora/svamp_mawps/svamp_EVAL_ONLY.jsonl" \
  "$corpora/arc_openbookqa/multiarith_addsub_singleeq_EVAL_ONLY.jsonl" --documents "${DOCUMENTS:-14000}" --seed "${SEED:-7}" --out "$work/taught"
run training.teach "$work/start" --base "$work/base.pt" --data "$work/taught" --plain "$work/plain.npy" --run "$work/teach" \
  --steps 6000 --finish-minutes "${MINUTES:-62}" --share 4 --warmup 12 --processes "${PROCESSES:-2}" --compile
echo "Taught: $work/teach/checkpoint. Package it: $python -m tidepool_model.export.package_hybrid $work/teach/checkpoint ../public/models/lagoon"
