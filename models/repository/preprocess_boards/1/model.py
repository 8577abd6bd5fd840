"""Turns board and golden image (files or greyscale bytes) into the detector's three channels.

The same arithmetic as the in-process engine, bit for bit: byte / 255, and the absolute difference of the two.
Files are decoded by Pillow, or by OpenCV where the image has that instead; without either, greyscale bytes still work.
"""
import os
import sys

# The backend process of a Triton that lives in a Python environment ignores PYTHONPATH.
if "TRITON_SITE_PACKAGES" in os.environ:
    sys.path.insert(0, os.environ["TRITON_SITE_PACKAGES"])
# A header may claim anything; nothing larger is decoded (read by OpenCV when it is imported).
HEADER_PIXELS_MAX = 64_000_000
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(HEADER_PIXELS_MAX))

import io

import numpy
import triton_python_backend_utils as pb_utils

try:
    from PIL import Image
except ImportError:
    Image = None
    try:
        import cv2
    except ImportError:
        cv2 = None

SIDE = 640
PIXELS = SIDE * SIDE
# Uncompressed RGBA is 1.6 MB: a larger file is no honest image of this size.
BYTES_MAX = 8 * 1024 * 1024
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
# 16-bit and CMYK scans have no agreed way to greyscale.
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
# As in models/src/align-golden.ts, which says why; whole numbers, so that both find the same shift.
SHIFT_PX_MAX = 5
SHIFTS_PX = sorted(range(-SHIFT_PX_MAX, SHIFT_PX_MAX + 1), key=abs)
WORTH_PERCENT = 90
SCALED = (numpy.arange(256) / 255).astype(numpy.float32)


class BadImage(Exception):
    """The sender's fault; the client knows it by the words that `execute` puts before it."""


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        try:
            boards = pb_utils.get_input_tensor_by_name(request, "board").as_numpy().ravel()
            goldens = pb_utils.get_input_tensor_by_name(request, "golden").as_numpy().ravel()
            tensor = numpy.zeros((len(boards), 3, SIDE, SIDE), numpy.float32)
            for index, (board, golden) in enumerate(zip(boards, goldens)):
                fill(tensor[index], board, golden, index)
        except BadImage as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"bad image: {error}"))
        except Exception as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"preprocessing failed: {error!r}"))
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("input_images", tensor)])


def fill(target, board, golden, index):
    # mode="clip" spares numpy a buffer; a byte is always in range.
    board = pixels_of(board, f"board {index}")
    numpy.take(SCALED, board, out=target[0], mode="clip")
    if len(golden) == 0:
        return
    golden = align(board, pixels_of(golden, f"golden image {index}"))
    numpy.take(SCALED, golden, out=target[1], mode="clip")
    numpy.subtract(target[0], target[1], out=target[2])
    numpy.abs(target[2], out=target[2])


def align(board, golden):
    """The golden image moved to where it lies best on the board."""
    dx, dy = (best_shift(sums(board, axis), sums(golden, axis)) for axis in (0, 1))
    if dx == 0 and dy == 0:
        return golden
    places = numpy.arange(SIDE)
    moved = golden[numpy.clip(places - dy, 0, SIDE - 1)][:, numpy.clip(places - dx, 0, SIDE - 1)]
    return moved if difference(board, moved) * 100 < difference(board, golden) * WORTH_PERCENT else golden


def sums(image, axis):
    return image.sum(axis=axis, dtype=numpy.int64)


def best_shift(board, golden):
    inner = board[SHIFT_PX_MAX : SIDE - SHIFT_PX_MAX]
    costs = [numpy.abs(inner - golden[SHIFT_PX_MAX - s : SIDE - SHIFT_PX_MAX - s]).sum() for s in SHIFTS_PX]
    return SHIFTS_PX[int(numpy.argmin(costs))]


def difference(a, b):
    return int((numpy.maximum(a, b) - numpy.minimum(a, b)).sum(dtype=numpy.int64))


def pixels_of(data, name):
    if len(data) == PIXELS:
        return numpy.frombuffer(data, numpy.uint8).reshape(SIDE, SIDE)
    if len(data) == 0:
        raise BadImage(f"{name} has no bytes")
    if len(data) > BYTES_MAX:
        raise BadImage(f"{name} has {len(data)} bytes, more than {BYTES_MAX}")
    if Image is not None:
        return decode_with_pillow(data, name)
    if cv2 is not None:
        return decode_with_opencv(data, name)
    raise BadImage(f"{name} is a file, and this server has neither Pillow nor OpenCV to decode it")


def decode_with_pillow(data, name):
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise BadImage(f"{name} has too many pixels") from error
    except Exception as error:
        raise BadImage(f"{name} is not a JPEG, PNG, WebP or TIFF file") from error
    # Only the header has been read so far.
    if image.size != (SIDE, SIDE):
        raise BadImage(f"{name} has {image.size[0]} x {image.size[1]} pixels, not {SIDE} x {SIDE}")
    if getattr(image, "n_frames", 1) > 1:
        raise BadImage(f"{name} holds {image.n_frames} images")
    if image.mode not in MODES:
        raise BadImage(f"{name} is of mode {image.mode}, not 8-bit greyscale or RGB")
    try:
        if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
            opaque = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(opaque, image.convert("RGBA"))
        return numpy.asarray(image.convert("L"))
    except Exception as error:
        raise BadImage(f"{name} is damaged: {error}") from error


def decode_with_opencv(data, name):
    try:
        pixels = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        raise BadImage(f"{name} could not be decoded") from error
    if pixels is None:
        raise BadImage(f"{name} is not a readable image")
    if pixels.shape != (SIDE, SIDE):
        raise BadImage(f"{name} has {pixels.shape[1]} x {pixels.shape[0]} pixels, not {SIDE} x {SIDE}")
    return pixels
