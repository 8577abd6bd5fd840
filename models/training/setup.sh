#!/usr/bin/env bash
# Installs what training needs: from Debian's packages PyTorch 1.13 for the CPU (153 MB; PyPI's build brings
# gigabytes of CUDA along), ONNX, OpenCV; from PyPI, into the environment ENV, what requirements.txt names.
# Debian 12; as root or with sudo. Nothing else in the repository needs any of it: serving and evaluation use
# Node only.
#
#   models/training/setup.sh [ENV]      ENV: default .local/training/serving
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
serving="${1:-$here/../../.local/training/serving}"
packages=(python3-torch python3-numpy python3-opencv python3-onnx python3-venv)
if ! /usr/bin/python3 -c 'import torch, numpy, cv2, onnx, venv, ensurepip' 2>/dev/null; then
  if ! command -v apt-get >/dev/null; then
    echo "This needs Debian 12 packages: ${packages[*]}" >&2
    exit 1
  fi
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi
[ -e "$serving/bin/pip" ] || /usr/bin/python3 -m venv "$serving"
"$serving/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
"$serving/bin/python" -c 'import cv2, onnx, onnxruntime; print("training environment: onnxruntime", onnxruntime.__version__)'
/usr/bin/python3 -c 'import torch, numpy, cv2, onnx; print("training environment: torch", torch.__version__)'
