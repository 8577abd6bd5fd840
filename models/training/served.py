"""The exported model as it is served: ONNX Runtime on one thread."""

import onnxruntime

from board_folder import to_input


def open_model(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def detect(session, folder):
    """Detections [100, 6] per board of a folder."""
    run = lambda i: session.run(None, {"input_images": to_input(*folder.pair(i))[None]})[0][0]
    return [run(i) for i in range(len(folder))]
