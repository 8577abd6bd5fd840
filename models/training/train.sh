#!/usr/bin/env bash
# Trains every committed network from its seed and exports it, one after the other: half an hour to three quarters
# of one CPU core each. Stop it at any time; the same command goes on from the last checkpoint (every 500 steps).
#
#   models/training/train.sh DEEPPCB_DIR [NETWORK...]
#
# DEEPPCB_DIR holds boards/, golden/, annotations/. NETWORKs (default: all):
#   pair-families-a     the served detector                       -> repository/pcb_defect_detector
#   pair-families-b     figures on other unseen families          -> training/results/pair-families-b
#   pair-random         figures on random boards                  -> training/results/pair-random
#   single-families-a   the detector without golden images        -> repository/pcb_defect_detector_single
#   classifier          the second opinion, trained on families-a -> repository/classification_model
# WORK_DIR (default .local/training) gets generated boards, caches and checkpoints. Run it through
# `npm run models:train -- DEEPPCB_DIR`, so that `node` is Node 24.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"
deeppcb="$(cd "${1:?give the DeepPCB folder}" && pwd)"
shift
work="${WORK_DIR:-$root/.local/training}"
repository="$root/models/repository"
export PATH="$root/node_modules/.bin:$PATH" OMP_NUM_THREADS=1
serving="$work/serving"
"$here/setup.sh" "$serving"
mkdir -p "$work"

boards() { # folder, then the generator's options; made once
  [ -e "$1.made" ] || { node "$root/models/src/boards/write-board-folder.ts" --out "$1" "${@:2}" && touch "$1.made"; }
}
boards "$work/synthetic" --count 1000 --defects 6 --seed 7
boards "$work/line" --count 320 --defects 3 --clean 0.875 --seed 8

detector() { # network, split, steps, folder of the model
  local name="$1-$2" version="$4/1"
  local checkpoint="$work/$name/checkpoint.pt"
  mkdir -p "$version" "$here/results/$name" "$work/$name"
  # Every model has the same classes; only the threshold is its own.
  [ -e "$version/classes.json" ] || cp "$repository/pcb_defect_detector/1/classes.json" "$version/"
  nice -n 5 /usr/bin/python3 train.py --network "$1" --split "$2" --deeppcb "$deeppcb" --synthetic "$work/synthetic" \
    --out "$work/$name" --steps "$3" | tee -a "$work/$name/curve.txt"
  cp "$work/$name/curve.txt" "$here/results/$name/curve.txt"
  /usr/bin/python3 -W ignore export.py --network "$1" --checkpoint "$checkpoint" --output "$version/model_fp32.onnx"
  "$serving/bin/python" quantise.py --float "$version/model_fp32.onnx" --split "$2" --deeppcb "$deeppcb" \
    --cache "$work/$name/cache" --output "$version/model.onnx"
  "$serving/bin/python" choose_threshold.py --model "$version/model.onnx" --split "$2" --deeppcb "$deeppcb" \
    --line "$work/line" --cache "$work/$name/cache" --write "$version/classes.json"
}

classifier() {
  mkdir -p "$repository/classification_model/1" "$here/results/classifier-families-a"
  nice -n 5 /usr/bin/python3 -W ignore classifier.py --split families-a --deeppcb "$deeppcb" \
    --synthetic "$work/synthetic" --cache "$work/cache" --output "$repository/classification_model/1/model.onnx" |
    tee "$here/results/classifier-families-a/curve.txt"
}

cd "$here"
[ $# -gt 0 ] || set -- pair-families-a pair-families-b pair-random single-families-a classifier
for network; do
  case "$network" in
    pair-families-a) detector pair families-a 24000 "$repository/pcb_defect_detector" ;;
    pair-families-b) detector pair families-b 24000 "$here/results/pair-families-b" ;;
    pair-random) detector pair random 24000 "$here/results/pair-random" ;;
    single-families-a) detector single families-a 24000 "$repository/pcb_defect_detector_single" ;;
    classifier) classifier ;;
    *) echo "no network $network" >&2 && exit 1 ;;
  esac
done
