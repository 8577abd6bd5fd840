#!/usr/bin/env bash
# Copies the model repository and lays an overlay over it: the text of OVERLAY/MODEL.pbtxt goes to the end of the
# model's config.pbtxt, where it adds fields. The repository itself names no placement, so that the same folder
# loads on a CPU.
#
#   deploy/triton/lay-over.sh gpu OUT     writes OUT/pcb_defect_detector/config.pbtxt, …
set -euo pipefail
if (($# != 2)); then
  echo "usage: $0 OVERLAY OUT" >&2
  exit 1
fi
here="$(cd "$(dirname "$0")" && pwd)"
overlay="$here/$1"
out="$2"
repository="$here/../../models/repository"
if [[ ! -d "$overlay" ]]; then
  echo "no overlay $1 in deploy/triton" >&2
  exit 1
fi
if [[ -e "$out" ]]; then
  echo "$out is there already" >&2
  exit 1
fi
mkdir -p "$(dirname "$out")"
cp -R "$repository" "$out"
for addition in "$overlay"/*.pbtxt; do
  model="$(basename "$addition" .pbtxt)"
  if [[ ! -f "$out/$model/config.pbtxt" ]]; then
    echo "the overlay is for $model, which the repository does not have" >&2
    exit 1
  fi
  cat "$addition" >>"$out/$model/config.pbtxt"
done
