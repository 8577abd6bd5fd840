"""Checkpoint -> ONNX with the served contract, checked against the network it came from.

  python3 export.py --network pair --checkpoint DIR/checkpoint.pt --output ../repository/pcb_defect_detector/1/model_fp32.onnx
"""

import argparse
import copy

import numpy as np
import onnx
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from network import NETWORKS, DefectNet, ExportedDetector

# The newest opset that Debian's torch 1.13 writes.
OPSET = 16


def fuse(module):
    """Folds batch normalisation into the convolutions: fewer operators, the same numbers."""
    for child in module.children():
        if isinstance(child, torch.nn.Sequential) and len(child) == 3 and isinstance(child[1], torch.nn.BatchNorm2d):
            child[0] = fuse_conv_bn_eval(child[0], child[1])
            child[1] = torch.nn.Identity()
        fuse(child)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--network", choices=NETWORKS, default="pair")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    network = DefectNet(args.network)
    network.load_state_dict(torch.load(args.checkpoint)["average"])
    network.eval()
    fused = copy.deepcopy(network)
    fuse(fused)
    served = ExportedDetector(fused).eval()
    example = torch.rand(2, 3, 640, 640)
    with torch.no_grad():
        difference = (fused(example)[0] - network(example)[0]).abs().max().item()
    assert difference < 1e-3, f"fusing changed the logits by {difference}"
    torch.onnx.export(
        served,
        example,
        args.output,
        opset_version=OPSET,
        input_names=["input_images"],
        output_names=["detections"],
        dynamic_axes={"input_images": {0: "batch"}, "detections": {0: "batch"}},
        do_constant_folding=True,
    )
    model = onnx.load(args.output)
    # Triton reads the rank from here; the exporter leaves the fixed sizes symbolic.
    for dim, value in zip(model.graph.output[0].type.tensor_type.shape.dim[1:], (100, 6)):
        dim.Clear()
        dim.dim_value = value
    onnx.checker.check_model(model)
    onnx.save(model, args.output)
    operators = sorted({node.op_type for node in model.graph.node})
    size = len(model.SerializeToString())
    parameters = sum(int(np.prod(t.dims)) for t in model.graph.initializer)
    print(f"{args.output}: {size / 1e6:.2f} MB, {parameters} numbers, operators {operators}")


if __name__ == "__main__":
    main()
