"""Training crops from board + golden pairs.

What it teaches, beyond symmetry and scale: misregistration and threshold noise are no defects; a
mark that is on both images is design, not a defect; a repaired defect is none; and boards without
a golden template (channels 1 and 2 zero) must still be judged.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from marks import draw_marks

CROP_PX = 320
CLEAN_IDENTICAL_SHARE = 0.4
AROUND_DEFECT_SHARE = 0.85
REPAIRED_SHARE = 0.10
JPEG_SHARE = 0.25
STYLE_SHARE = 0.2
STYLE_PX = (2, 4)
SHIFT_PX_MAX = 4.0
ROTATION_RAD_MAX = 0.006
# Defects whose visible part is smaller than this are neither taught nor punished much: half a box
# at a crop's edge often shows nothing of the mark itself.
VISIBLE_SHARE_MIN = 0.4


@dataclass(frozen=True)
class Recipe:
    """How often a crop is clean, a mark is copied into the template, and the template is missing; the range of
    scales; how often the crop is a changed design with drawn marks, and how many marks are drawn at most there and
    on other crops."""

    clean: float
    design: float
    no_golden: float
    scale: tuple = (0.8, 1.25)
    redesigned: float = 0.0
    drawn_on_redesigned: int = 0
    drawn_on_others: int = 0


# A pair network must still answer without a template. One image shows no design to compare with, so
# marks as design would only contradict the labels, and what damage looks like has to be learned apart
# from the few designs there are: marks drawn on designs that are inverted, thickened, thinned and turned.
RECIPES = {
    "pair": Recipe(clean=0.10, design=0.12, no_golden=0.12),
    "single": Recipe(
        clean=0.10, design=0.0, no_golden=1.0, scale=(0.65, 1.5), redesigned=0.4, drawn_on_redesigned=6, drawn_on_others=3
    ),
}
INVERTED_SHARE = 0.3
THICKNESS_SHARE = 0.6
THICKNESS_PX = (2, 8)
TURNED_SHARE = 0.3

def edit_marks(rng, board, golden, boxes, design_share):
    """Repairs some defects from the template and copies some into it; returns the labels left."""
    kept = []
    for box in boxes:
        draw = rng.random()
        if draw < REPAIRED_SHARE + design_share:
            x1, y1, x2, y2 = (int(v) for v in box[:4])
            part = np.s_[max(0, y1 - 2) : y2 + 2, max(0, x1 - 2) : x2 + 2]
            if draw < REPAIRED_SHARE:
                board[part] = golden[part]
            else:
                golden[part] = board[part]
        else:
            kept.append(box)
    return np.array(kept, dtype=np.float32).reshape(-1, 5)


def redesigned(rng, golden):
    """A design that no board has: copper and ground swapped, tracks of another thickness, any angle."""
    if rng.random() < INVERTED_SHARE:
        golden = 255 - golden
    if rng.random() < THICKNESS_SHARE:
        change = cv2.dilate if rng.random() < 0.5 else cv2.erode
        golden = change(golden, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (int(rng.integers(*THICKNESS_PX)),) * 2))
    if rng.random() < TURNED_SHARE:
        turn = cv2.getRotationMatrix2D((320, 320), float(rng.uniform(0, 360)), 1.0)
        golden = cv2.warpAffine(golden, turn, (640, 640), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        golden = np.where(golden > 127, 255, 0).astype(np.uint8)
    return golden


def area_of(matrix):
    """x1, y1, x2, y2 in source pixels of what a crop shows."""
    back = np.linalg.inv(matrix[:, :2])
    corners = (np.array([[0, 0], [CROP_PX, CROP_PX]]) - matrix[:, 2]) @ back.T
    return np.clip(np.concatenate([corners.min(0), corners.max(0)]), 0, 640)


def crop_matrix(rng, boxes, scales):
    """2 x 3 matrix from source pixels to crop pixels: symmetry, scale and position."""
    scale = float(np.exp(rng.uniform(*np.log(scales))))
    half = CROP_PX / scale / 2
    if len(boxes) and rng.random() < AROUND_DEFECT_SHARE:
        box = boxes[rng.integers(len(boxes))]
        centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        centre = centre + rng.uniform(-0.9, 0.9, 2) * half
    else:
        centre = rng.uniform(0, 640, 2)
    centre = np.clip(centre, half, 640 - half)
    flip = np.diag(rng.choice([-1.0, 1.0], 2))
    linear = flip if rng.random() < 0.5 else flip @ np.array([[0.0, 1.0], [1.0, 0.0]])
    linear = linear * scale
    offset = np.array([CROP_PX / 2, CROP_PX / 2]) - linear @ centre
    return np.hstack([linear, offset[:, None]])


def jitter_matrix(rng):
    """A small shift and turn of the template around the crop's centre, in crop pixels."""
    size = rng.choice([0.0, 1.0, 2.0, SHIFT_PX_MAX], p=[0.25, 0.35, 0.25, 0.15])
    shift = rng.uniform(-size, size, 2)
    angle = rng.uniform(-ROTATION_RAD_MAX, ROTATION_RAD_MAX) if rng.random() < 0.4 else 0.0
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    middle = np.array([CROP_PX / 2, CROP_PX / 2])
    return np.hstack([turn, (middle - turn @ middle + shift)[:, None]])


def compose(outer, inner):
    return np.hstack([outer[:, :2] @ inner[:, :2], (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]])


def warp(image, matrix):
    return cv2.warpAffine(
        image, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def copper_style(rng, board, golden):
    """Other boards have thicker or thinner copper: both images change alike."""
    if rng.random() < STYLE_SHARE:
        size = int(rng.integers(*STYLE_PX))
        change = cv2.dilate if rng.random() < 0.5 else cv2.erode
        kernel = np.ones((size, size), np.uint8)
        board, golden = change(board, kernel), change(golden, kernel)
    return board, golden


def threshold_noise(rng, image):
    """Camera blur and an uneven threshold: edges move by about a pixel, specks stay away."""
    sigma = rng.uniform(0.6, 1.6)
    grey = cv2.GaussianBlur(image, (5, 5), sigma)
    level = 127 + rng.uniform(-45, 45)
    grain = int(rng.choice([20, 40, 160]))
    field = cv2.resize(
        rng.normal(level, rng.uniform(0, 22), (grain, grain)).astype(np.float32),
        (CROP_PX, CROP_PX),
        interpolation=cv2.INTER_LINEAR,
    )
    return np.where(grey > np.clip(field, 30, 225), 255, 0).astype(np.uint8)


def degrade(rng, image):
    """One side's acquisition: threshold noise mostly, sometimes grey edges or JPEG ringing too."""
    draw = rng.random()
    if draw < 0.65:
        image = threshold_noise(rng, image)
    elif draw < 0.9:
        image = np.where(image > 127, 255, 0).astype(np.uint8)
    if rng.random() < JPEG_SHARE:
        quality = int(rng.integers(70, 96))
        image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)
    return image


def move_boxes(boxes, matrix):
    """Boxes in crop pixels, clipped; those that are mostly outside are dropped."""
    if len(boxes) == 0:
        return boxes
    first = boxes[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    second = boxes[:, 2:4] @ matrix[:, :2].T + matrix[:, 2]
    low, high = np.minimum(first, second), np.maximum(first, second)
    clipped_low, clipped_high = np.clip(low, 0, CROP_PX), np.clip(high, 0, CROP_PX)
    visible = np.prod(np.maximum(clipped_high - clipped_low, 0), axis=1) / np.prod(high - low, axis=1)
    kept = visible > VISIBLE_SHARE_MIN
    return np.hstack([clipped_low, clipped_high, boxes[:, 4:5]])[kept].astype(np.float32)


def training_crop(rng, folder, index, recipe=RECIPES["pair"], marks=None):
    """One crop: uint8 planes [3, 320, 320] and boxes [n, 5] in crop pixels. `marks` (see marks.py) are
    needed where the recipe draws some."""
    board, golden = folder.pair(index)
    boxes = folder.boxes[index]
    identical = False
    draw = rng.random()
    if draw < recipe.clean:
        # Where the marks were is where a clean board is most easily misjudged: aim there first.
        matrix = crop_matrix(rng, boxes, recipe.scale)
        board, boxes = golden, boxes[:0]
        identical = rng.random() < CLEAN_IDENTICAL_SHARE
    elif draw < recipe.clean + recipe.redesigned:
        matrix = crop_matrix(rng, boxes[:0], recipe.scale)
        golden = redesigned(rng, golden)
        board = golden.copy()
        count = int(rng.integers(recipe.drawn_on_redesigned + 1))
        boxes = draw_marks(rng, board, golden, boxes[:0], marks, count, area_of(matrix))
    else:
        boxes = edit_marks(rng, board, golden, boxes, recipe.design)
        matrix = crop_matrix(rng, boxes, recipe.scale)
        if recipe.drawn_on_others:
            count = int(rng.integers(recipe.drawn_on_others + 1))
            boxes = draw_marks(rng, board, board.copy(), boxes, marks, count, area_of(matrix))
    if not identical:
        board, golden = copper_style(rng, board, golden)
    planes = np.zeros((3, CROP_PX, CROP_PX), np.uint8)
    planes[0] = degrade(rng, warp(board, matrix))
    if identical:
        planes[1] = planes[0]
    elif rng.random() >= recipe.no_golden:
        planes[1] = degrade(rng, warp(golden, compose(jitter_matrix(rng), matrix)))
        planes[2] = cv2.absdiff(planes[0], planes[1])
    return planes, move_boxes(boxes, matrix)
