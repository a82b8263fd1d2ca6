#!/usr/bin/env bash
# The family: variants of the shipped `small`, each against a control that trains on for as long. Run it again to go on after a stop.
#   model/runs/family.sh control|moe|latent-moe|twin|minipuzzle|minipuzzle-on|fp8|nvfp4 WORK_FOLDER [CORPORA]
# From the environment: PYTHON the interpreter; SEED (1); STEPS of 2,048 tokens instead of those of LOG.md.
set -euo pipefail
system=${1:?system: control, moe, latent-moe, twin, minipuzzle, minipuzzle-on, fp8 or nvfp4}
work=$(realpath -m "${2:?WORK_FOLDER}")
corpora=${3:-${TIDEPOOL_CORPORA:-}}
[[ -z $corpora ]] || corpora=$(realpath -m "$corpora")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}
seed=${SEED:-1}
models=../public/models
case $system in
  control | moe | latent-moe | twin | minipuzzle | minipuzzle-on | fp8 | nvfp4) ;;
  *) echo "no system '$system'; there are control, moe, latent-moe, twin, minipuzzle, minipuzzle-on, fp8, nvfp4" >&2 && exit 2 ;;
esac
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

if [[ ! -e $work/data/meta.json ]]; then
  "$python" -m tidepool_model.data.build --out "$work/data" ${corpora:+--corpora "$corpora"} \
    --pretrain-tokens 400000 --sft-tokens 8000000 --held-out-tokens 120000 --seed 21
fi
cp tokenizer/tokenizer.json "$work/data/"
[[ -e $work/small/config.json ]] || "$python" -m tidepool_model.export.restore $models/tidepool --out "$work/small"

# train NAME STEPS OPTIONS...
train() {
  "$python" -m tidepool_model.training.train --data "$work/data" --run "$work/runs/$1" --stages "sft:${STEPS:-$2}" \
    --threads 1 --seed "$seed" --report 10 --evaluate 1000000 "${@:3}"
}
# package NAME FOLDER MADE_FROM
package() {
  "$python" -m tidepool_model.export.package --checkpoint "$work/runs/$1/checkpoint" --tokenizer tokenizer --out "$2" --variants q4,quantized \
    --calibration "$work/data/sft.tokens.bin" --held-out "$work/data/held_out.tokens.bin" --provenance "made_from=$3"
  "$python" -m tidepool_model.export.card "$2"
}
on=(--rows 4 --length 512 --lr 3e-4 --decay 0.9 --no-bf16) # float32 is a fifth faster on cores without AMX
taught=(--rows 4 --length 512 --lr 1e-3 --decay 0.9 --no-bf16 --teacher "$work/small")
fresh=("${taught[@]}" --lr 2e-3)

case $system in
  control)
    train "control-$seed" 400 --init "$work/small" "${on[@]}"
    package "control-$seed" "$work/control" "\`tidepool\`'s weights"
    ;;
  moe | latent-moe)
    [[ $system == moe ]] && width=() || width=(--latent 96)
    [[ -e $work/start-$system ]] ||
      "$python" -m tidepool_model.convert.upcycle --from "$work/small" --tokens "$work/data/sft.tokens.bin" "${width[@]}" --out "$work/start-$system"
    train "$system-$seed" 400 --init "$work/start-$system" "${on[@]}"
    package "$system-$seed" "$models/tidepool-$system" "\`tidepool\`'s weights (each MLP split into experts)"
    ;;
  twin)
    for mixers in attention mamba; do
      "$python" -m tidepool_model.convert.twin --from "$work/small" --mixers $mixers --out "$work/start-twin-$mixers"
      train "twin-$mixers" 350 --init "$work/start-twin-$mixers" "${fresh[@]}"
    done
    "$python" -m tidepool_model.evaluation.held_out --data "$work/data" --control "$work/runs/twin-mamba/checkpoint" "$work/runs/twin-attention/checkpoint"
    package twin-attention "$models/tidepool-twin" "\`tidepool\`'s weights (its Mamba layers replaced by attention)"
    ;;
  minipuzzle)
    [[ -e $work/puzzle/table.json ]] ||
      "$python" -m tidepool_model.convert.minipuzzle --from "$work/small" --tokens "$work/data/sft.tokens.bin" --out "$work/puzzle"
    for finalist in 1 2 3; do
      train "puzzle-$finalist" 30 --init "$work/puzzle/finalist-$finalist" "${taught[@]}"
    done
    "$python" -m tidepool_model.evaluation.held_out --data "$work/data" --control "$work/small" "$work"/runs/puzzle-[123]/checkpoint
    echo "Next: package the best of them as tidepool-puzzle, then minipuzzle-on."
    ;;
  minipuzzle-on) # distils the shipped finalist on
    [[ -e $work/start-puzzle/config.json ]] || "$python" -m tidepool_model.export.restore $models/tidepool-puzzle --out "$work/start-puzzle"
    train puzzle-on 700 --init "$work/start-puzzle" "${taught[@]}"
    package puzzle-on $models/tidepool-puzzle "\`tidepool\`'s weights (one attention layer of two and 128 of 576 units a MLP cut away, then distilled)"
    ;;
  fp8)
    for precision in plain fp8; do
      train "mini-$precision-$seed" 300 --preset mini --precision $precision --rows 2 --length 256 --lr 3e-3
    done
    ;;
  nvfp4)
    for precision in plain nvfp4-bare nvfp4-2d nvfp4-hadamard nvfp4-stochastic nvfp4; do
      train "micro-$precision-$seed" 60 --preset micro --precision $precision --rows 4 --length 128 --lr 6e-3
    done
    ;;
esac
