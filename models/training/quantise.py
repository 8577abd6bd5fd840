"""FP32 ONNX -> INT8 ONNX for processors: half the CPU time, the same boxes.

  quantise.py --float ../repository/pcb_defect_detector/1/model_fp32.onnx --split families-a --deeppcb DIR \\
    --cache DIR --output ../repository/pcb_defect_detector/1/model.onnx

Convolutions and what lies between them compute in 8 bits (QDQ form); both heads and everything after them
(boxes, peaks, top-100) stay in float. Ranges come from boards the network was trained on. Weights have 7 bits:
on processors without VNNI the sums of 8-bit products would saturate. Prints what the validation boards lose.
"""

import argparse
import pathlib
import tempfile

import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import board_folder
from scoring import mean_average_precision
from served import detect, open_model
from splits import boards_of

QUANTISED = ("Conv", "Add", "Resize", "Relu")
HEADS = ("/network/centre/Conv", "/network/distance/Conv")
CALIBRATION_BOARDS = 60
# More than this is a loss that somebody should look at before it is served.
LOSS_MAX = 0.003


class Boards(CalibrationDataReader):
    def __init__(self, folder):
        step = max(1, len(folder) // CALIBRATION_BOARDS)
        self.inputs = iter({"input_images": board_folder.to_input(*folder.pair(i))[None]} for i in range(0, len(folder), step))

    def get_next(self):
        return next(self.inputs, None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--float", required=True)
    parser.add_argument("--split", required=True, help="the folder of splits/ that the network was trained with")
    parser.add_argument("--deeppcb", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    deeppcb = board_folder.load(args.deeppcb, args.cache)
    with tempfile.TemporaryDirectory() as work:
        prepared = str(pathlib.Path(work) / "prepared.onnx")
        quant_pre_process(args.float, prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        quantize_static(
            prepared,
            args.output,
            Boards(boards_of(deeppcb, args.split, "train")),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_quantize=[
                n.name for n in nodes if n.op_type in QUANTISED and n.name.startswith("/network/") and n.name not in HEADS
            ],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    validation = boards_of(deeppcb, args.split, "validation")
    before, after = (
        mean_average_precision(detect(open_model(path), validation), validation.boxes)[0]
        for path in (args.float, args.output)
    )
    print(f"{args.output}: {pathlib.Path(args.output).stat().st_size / 1e6:.2f} MB, mAP {before:.4f} -> {after:.4f}")
    assert before - after < LOSS_MAX, "8 bits cost too much"


if __name__ == "__main__":
    main()
