"""Turns board and golden image (files or greyscale bytes) into the detector's three channels.

The same arithmetic as the in-process engine, bit for bit: byte / 255, and the absolute difference of the two.
Files are decoded by Pillow; without it, greyscale bytes still work. What models/src/images/decode-image.ts refuses is refused
here too, for the same reasons in the same words.
"""
import io
import os
import sys
import zlib

# The backend process of a Triton that lives in a Python environment ignores PYTHONPATH.
if "TRITON_SITE_PACKAGES" in os.environ:
    sys.path.insert(0, os.environ["TRITON_SITE_PACKAGES"])

import numpy
import triton_python_backend_utils as pb_utils

try:
    from PIL import Image
except ImportError:
    Image = None
else:
    # Ours is checked below, with a reason of its own.
    Image.MAX_IMAGE_PIXELS = None

SIDE = 640
PIXELS = SIDE * SIDE
# Uncompressed RGBA is 1.6 MB: a larger file is no honest image of this size.
BYTES_MAX = 8 * 1024 * 1024
# A header may claim anything; what claims more is not even asked further.
HEADER_PIXELS_MAX = 64_000_000
# GIF is opened only to tell an animation from a wrong format; MPO is a JPEG with previews or a gain map behind it.
OPENED = ("JPEG", "PNG", "WEBP", "TIFF", "GIF")
TAKEN = ("JPEG", "MPO", "PNG", "WEBP", "TIFF")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Deeper files and other colour spaces have no agreed way to greyscale.
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
OTHER_COLOUR_MODES = ("CMYK", "LAB", "YCbCr", "HSV")
# As in models/src/images/align-golden.ts, which says why; whole numbers, so that both find the same shift.
SHIFT_PX_MAX = 5
SHIFTS_PX = sorted(range(-SHIFT_PX_MAX, SHIFT_PX_MAX + 1), key=abs)
WORTH_PERCENT = 90
SCALED = (numpy.arange(256) / 255).astype(numpy.float32)


class BadImage(Exception):
    """The sender's fault; the client knows it by the words that `execute` puts before it.

    The reason is one of InvalidImageReason in models/src/errors.ts.
    """

    def __init__(self, reason, detail):
        super().__init__(f"{reason}: {detail}")


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        try:
            boards = pb_utils.get_input_tensor_by_name(request, "board").as_numpy().ravel()
            goldens = pb_utils.get_input_tensor_by_name(request, "golden")
            goldens = [b""] * len(boards) if goldens is None else goldens.as_numpy().ravel()
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
        raise BadImage("empty", f"{name} has no bytes")
    if len(data) > BYTES_MAX:
        raise BadImage("too-large", f"{name} has {len(data)} bytes, more than {BYTES_MAX}")
    if Image is None:
        raise RuntimeError(f"{name} is a file, and this server has no Pillow to decode it")
    chunks = png_chunks(data)
    image = open_image(data, name, b"acTL" in chunks)
    if image.format == "PNG" and chunks[-1:] != [b"IEND"]:
        # Pillow would show what is left of it.
        raise BadImage("corrupt", f"{name} is damaged: a chunk is cut off or has a wrong checksum")
    try:
        if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
            opaque = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(opaque, image.convert("RGBA"))
        return numpy.asarray(image.convert("L"))
    except Exception as error:
        raise BadImage("corrupt", f"{name} is damaged: {error}") from error


def open_image(data, name, is_animated_png):
    """Reads the header only: what it claims is checked before a pixel is decoded."""
    try:
        image = Image.open(io.BytesIO(data), formats=OPENED)
        several = image.format != "MPO" and (is_animated_png or getattr(image, "is_animated", False))
    except Exception as error:
        raise BadImage("not-an-image", f"{name} is not a JPEG, PNG, WebP or TIFF file: {error}") from error
    width, height = image.size
    if width * height > HEADER_PIXELS_MAX:
        raise BadImage("too-large", f"{name} has {width} x {height} pixels, more than {HEADER_PIXELS_MAX}")
    if several:
        raise BadImage("animated", f"{name} is several images in one file")
    if image.format not in TAKEN:
        raise BadImage("not-an-image", f"{name} is of type {image.format}")
    if image.size != (SIDE, SIDE):
        raise BadImage("wrong-size", f"{name} has {width} x {height} pixels, not {SIDE} x {SIDE}")
    if image.mode in OTHER_COLOUR_MODES:
        raise BadImage("colour-space", f"{name} is {image.mode}, neither grey nor RGB")
    # Pillow has no mode of 16-bit colour: it drops the lower bytes, as what it is about to do says.
    if image.mode not in MODES or any(";16" in str(tile) for tile in image.tile):
        raise BadImage("bit-depth", f"{name} has more than 8 bits a sample")
    return image


def png_chunks(data):
    """The kinds of a PNG file's chunks up to the end, or to the first that is damaged; none of any other file."""
    kinds = []
    at = len(PNG_SIGNATURE)
    while data.startswith(PNG_SIGNATURE) and kinds[-1:] != [b"IEND"]:
        checksum = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if data[checksum : checksum + 4] != zlib.crc32(data[at + 4 : checksum]).to_bytes(4, "big"):
            break
        kinds.append(data[at + 4 : at + 8])
        at = checksum + 4
    return kinds
