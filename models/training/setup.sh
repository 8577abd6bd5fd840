#!/usr/bin/env bash
# Installs what training needs, from Debian's packages: PyTorch 1.13 for the CPU (153 MB; PyPI's build
# brings gigabytes of CUDA along), ONNX, OpenCV. Debian 12; as root or with sudo. Nothing else in the
# repository needs any of it: serving and evaluation use Node only.
set -euo pipefail
packages=(python3-torch python3-numpy python3-opencv python3-onnx)
if /usr/bin/python3 -c 'import torch, numpy, cv2, onnx' 2>/dev/null; then
  echo "training environment: there already"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "This needs Debian 12 packages: ${packages[*]}" >&2
  exit 1
fi
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}"
/usr/bin/python3 -c 'import torch, numpy, cv2, onnx; print("training environment: torch", torch.__version__)'
