"""The exported model as it is served: ONNX Runtime on one thread."""

import numpy as np
import onnxruntime


def to_input(board, golden):
    """float32 [3, 640, 640]: board, golden image, difference."""
    planes = np.stack([board, golden, np.abs(board.astype(np.int16) - golden).astype(np.uint8)])
    return planes.astype(np.float32) / 255


def open_model(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def detect(session, folder):
    """Detections [100, 6] per board of a folder."""
    run = lambda i: session.run(None, {"input_images": to_input(*folder.pair(i))[None]})[0][0]
    return [run(i) for i in range(len(folder))]
