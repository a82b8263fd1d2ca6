#!/usr/bin/env bash
# One preset from nothing to a model folder: data, training, packaging. Run it again to go on after a stop.
#   model/runs/run.sh micro|mini|small|base [WORK_FOLDER] [CORPORA]
# WORK_FOLDER (default model/runs/PRESET, ignored by git) takes data, checkpoints and log; CORPORA is the folder of
# the unpacked corpora; left out, only generated text is used. From the environment:
#   PYTHON   the interpreter            UNTIL=data|train  stop after that step
#   MINUTES  stop training, resumable, after that long
#   OUT      model folder to write (default public/models/tidepool, for micro public/models/micro)
#   TOKENS, STAGES, EXTRA  other sizes, as for a rehearsal: TOKENS="60000 60000" STAGES=pretrain:20,sft:40 EXTRA="--lr 1e-3"
set -euo pipefail
preset=${1:?preset: micro, mini, small or base}
corpora=${3:-${TIDEPOOL_CORPORA:-}}
[[ -z $corpora ]] || corpora=$(realpath -m "$corpora")
work=$(realpath -m "${2:-$(dirname "${BASH_SOURCE[0]}")/$preset}")
[[ -z ${OUT:-} ]] || OUT=$(realpath -m "$OUT")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}
cores=$(nproc)

case $preset in
  micro) tokens="2000000 2000000" stages=pretrain:200,sft:700 options=(--rows 8 --length 256 --lr 6e-3) ;;
  mini) tokens="10000000 18000000" stages=pretrain:2600,sft:14000 options=(--rows 4 --length 512 --lr 3e-3 --compile --threads 1) ;;
  small) tokens="10000000 20000000" stages=pretrain:2200,sft:8300 options=(--rows 8 --length 512 --lr 3e-3 --compile) ;;
  # The speed on an H200 is unmeasured: the run ends by time, decayed, and each stage keeps its share of it.
  base) tokens="200000000 120000000" stages=pretrain:8000,sft:12000 options=(--rows 96 --length 512 --lr 2e-3 --compile --finish-minutes 19) ;;
  *) echo "no preset '$preset'; there are micro, mini, small, base" >&2 && exit 2 ;;
esac
# Two cores share small's rows; a GPU takes them all.
[[ $preset != small || -e /dev/nvidiactl || $cores -lt 2 ]] || options+=(--processes 2)
read -r pretrain_tokens sft_tokens <<< "${TOKENS:-$tokens}"
read -r -a extra <<< "${EXTRA:-}"

mkdir -p "$work/data"
if [[ ! -e $work/data/meta.json ]]; then
  "$python" -m tidepool_model.data.build --out "$work/data" ${corpora:+--corpora "$corpora"} \
    --pretrain-tokens "$pretrain_tokens" --sft-tokens "$sft_tokens" --seed 1 --processes "$cores"
fi
cp tokenizer/tokenizer.json "$work/data/"
[[ ${UNTIL:-} != data ]] || exit 0
"$python" -m tidepool_model.training.train --preset "$preset" --data "$work/data" --run "$work/run" --stages "${STAGES:-$stages}" \
  "${options[@]}" "${extra[@]}" --seed 1 ${MINUTES:+--minutes "$MINUTES"}
[[ ${UNTIL:-} != train ]] || exit 0
if [[ ! -e $work/run/FINISHED ]]; then
  echo "Training has stopped before its end: run the same command to go on; nothing is packaged yet." >&2
  exit 3
fi
out=${OUT:-../public/models/$([[ $preset == micro ]] && echo micro || echo tidepool)}
# A model far below 1 M parameters can't keep 4-bit perplexity within 3 %; the gate is for the shipped one.
gate=() && [[ $preset == micro ]] || gate=(--held-out "$work/data/held_out.tokens.bin")
"$python" -m tidepool_model.export.package --checkpoint "$work/run/checkpoint" --tokenizer tokenizer --out "$out" \
  --variants q4,q4f16,quantized --calibration "$work/data/pretrain.tokens.bin" "${gate[@]}"
"$python" -m tidepool_model.export.card "$out"
echo "Next: npm run eval, then python -m tidepool_model.export.card $out"
