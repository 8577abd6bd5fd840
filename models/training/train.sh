#!/usr/bin/env bash
# Trains the detector from nothing and exports it: about half an hour of one CPU core. Stop it at any time;
# the same command goes on from the last checkpoint (every 500 steps).
#
#   models/training/train.sh DEEPPCB_DIR [WORK_DIR]
#
# DEEPPCB_DIR holds boards/, golden/, annotations/. WORK_DIR (default .local/training) gets the generated
# boards, the caches and the checkpoint. Run it through `npm run models:train -- DEEPPCB_DIR`, so that `node`
# is Node 24.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"
deeppcb="$(cd "${1:?give the DeepPCB folder}" && pwd)"
work="${2:-$root/.local/training}"
version="$root/models/repository/pcb_defect_detector/1"
export PATH="$root/node_modules/.bin:$PATH" OMP_NUM_THREADS=1
"$here/setup.sh"
mkdir -p "$work"

boards() { # folder, then the generator's options; made once
  [ -e "$1.made" ] || { node "$root/models/src/boards/write-board-folder.ts" --out "$1" "${@:2}" && touch "$1.made"; }
}
boards "$work/synthetic" --count 1000 --defects 6 --seed 7
boards "$work/line" --count 320 --defects 3 --clean 0.875 --seed 8

cd "$here"
nice -n 5 /usr/bin/python3 train.py --deeppcb "$deeppcb" --synthetic "$work/synthetic" --out "$work" \
  --steps 16000 --evaluate-every 4000
/usr/bin/python3 -W ignore export.py --checkpoint "$work/checkpoint.pt" --output "$version/model.onnx"
/usr/bin/python3 evaluate.py --checkpoint "$work/checkpoint.pt" --deeppcb "$deeppcb" --line "$work/line" \
  --cache "$work/cache" --write-threshold "$version/classes.json"
