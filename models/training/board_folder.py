"""Reads board folders of the DeepPCB form: boards/ID.jpg, golden/ID.jpg, annotations/ID.txt.

Images are bi-level, so they are kept as packed bits: a thousand pairs take 100 MB instead of 800,
and reading them again from the cache takes a second instead of a minute.
"""

import hashlib
import pathlib

import cv2
import numpy as np

SIDE_PX = 640


class BoardFolder:
    """`ids`, and per index the packed board and golden and the boxes [n, 5] (x1 y1 x2 y2 class 0..5)."""

    def __init__(self, ids, boards, goldens, boxes):
        self.ids, self.boards, self.goldens, self.boxes = ids, boards, goldens, boxes

    def __len__(self):
        return len(self.ids)

    def pair(self, index):
        """Board and golden as fresh uint8 arrays [640, 640] of 0 and 255."""
        return unpack(self.boards[index]), unpack(self.goldens[index])

    def select(self, indexes):
        return BoardFolder(
            [self.ids[i] for i in indexes],
            self.boards[indexes],
            self.goldens[indexes],
            [self.boxes[i] for i in indexes],
        )


def to_input(board, golden):
    """What a detector is given, float32 [3, 640, 640]: board, golden image, difference, 0 to 1."""
    planes = np.stack([board, golden, np.abs(board.astype(np.int16) - golden).astype(np.uint8)])
    return planes.astype(np.float32) / 255


def unpack(bits):
    return (np.unpackbits(bits, axis=1) * 255).astype(np.uint8)


def read_boxes(path):
    rows = [[int(v) for v in line.split()] for line in path.read_text().splitlines() if line.strip()]
    boxes = np.array(rows, dtype=np.float32).reshape(-1, 5)
    boxes[:, 4] -= 1
    return boxes


def read_image(path):
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None or image.shape != (SIDE_PX, SIDE_PX):
        raise ValueError(f"{path}: not a {SIDE_PX} x {SIDE_PX} image")
    return image


def load(folder, cache_folder):
    """The whole folder, sorted by id, from the cache when the listing has not changed."""
    folder, cache_folder = pathlib.Path(folder).resolve(), pathlib.Path(cache_folder)
    paths = sorted((folder / "boards").iterdir())
    ids = [path.stem for path in paths]
    boxes = [read_boxes(folder / "annotations" / f"{name}.txt") for name in ids]
    listing = "\n".join(f"{p} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in paths)
    cache = cache_folder / f"{hashlib.sha256(listing.encode()).hexdigest()[:16]}.npz"
    if cache.exists():
        with np.load(cache) as arrays:
            return BoardFolder(ids, arrays["boards"], arrays["goldens"], boxes)
    boards = np.stack([np.packbits(read_image(path) > 127, axis=1) for path in paths])
    goldens = np.stack(
        [np.packbits(read_image(folder / "golden" / path.name) > 127, axis=1) for path in paths]
    )
    cache_folder.mkdir(parents=True, exist_ok=True)
    np.savez(cache, boards=boards, goldens=goldens)
    return BoardFolder(ids, boards, goldens, boxes)
