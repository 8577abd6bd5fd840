"""Asks classification_model for a second opinion on the detections that may matter.

The window is the one that training cuts (models/training/classifier.py): a square around the box's centre, a quarter
longer than the box's longer side and at least 64 px, moved into the image, resized to 64 px bilinearly.
"""
import os
import sys

# The backend process of a Triton that lives in a Python environment ignores PYTHONPATH.
if "TRITON_SITE_PACKAGES" in os.environ:
    sys.path.insert(0, os.environ["TRITON_SITE_PACKAGES"])

import numpy
import triton_python_backend_utils as pb_utils

SIDE = 640
WINDOW = 64
MARGIN = 1.25
# Surer than nothing, and far below every verdict threshold; most of the hundred rows of a board are not.
CONFIDENCE_MIN = 0.1
# As in the classifier's config.pbtxt.
BATCH_MAX = 128
NOT_ASKED = (-1, 0)
# How Triton says that it does not serve the classifier.
NOT_SERVED = "is not ready"


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        try:
            images = pb_utils.get_input_tensor_by_name(request, "input_images").as_numpy()
            detections = pb_utils.get_input_tensor_by_name(request, "detections").as_numpy()
            opinions = numpy.empty((*detections.shape[:2], 2), numpy.float32)
            opinions[:] = NOT_ASKED
            places = numpy.argwhere(detections[:, :, 4] >= CONFIDENCE_MIN)
            for first in range(0, len(places), BATCH_MAX):
                some = places[first : first + BATCH_MAX]
                crops = numpy.stack([window(images[image], detections[image, row, :4]) for image, row in some])
                probabilities = classify(crops)
                if probabilities is None:
                    break
                classes = probabilities.argmax(axis=1)
                opinions[some[:, 0], some[:, 1], 0] = classes
                opinions[some[:, 0], some[:, 1], 1] = probabilities[numpy.arange(len(some)), classes]
        except Exception as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"second opinion failed: {error!r}"))
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("second_opinions", opinions)])


def classify(crops):
    """The classifier's answer; None where the server has none: a second opinion is not worth a board."""
    request = pb_utils.InferenceRequest(
        model_name="classification_model",
        requested_output_names=["probabilities"],
        inputs=[pb_utils.Tensor("crops", crops)],
        # The answer is read here, in the processor's memory, wherever the model runs.
        preferred_memory=pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_CPU, 0),
    )
    response = request.exec()
    if response.has_error():
        message = response.error().message()
        if NOT_SERVED in message:
            return None
        raise RuntimeError(message)
    return pb_utils.get_output_tensor_by_name(response, "probabilities").as_numpy()


def window(planes, box):
    x1, y1, x2, y2 = (float(value) for value in box)
    side = int(round(min(max(WINDOW, MARGIN * max(x2 - x1, y2 - y1)), SIDE)))
    left = min(max(int(round((x1 + x2) / 2 - side / 2)), 0), SIDE - side)
    top = min(max(int(round((y1 + y2) / 2 - side / 2)), 0), SIDE - side)
    part = planes[:, top : top + side, left : left + side]
    return part if side == WINDOW else resized(part, side)


def resized(part, side):
    at = numpy.clip((numpy.arange(WINDOW) + 0.5) * (side / WINDOW) - 0.5, 0, side - 1)
    low = at.astype(int)
    high = numpy.minimum(low + 1, side - 1)
    share = (at - low).astype(numpy.float32)
    rows = part[:, low] * (1 - share)[None, :, None] + part[:, high] * share[None, :, None]
    return rows[:, :, low] * (1 - share) + rows[:, :, high] * share
