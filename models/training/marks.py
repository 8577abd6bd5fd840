"""Marks taken from boards and drawn on other designs.

A family of boards is one design, so that a network learns where copper belongs there instead of what
damage looks like. Here the marks of all training boards are cut out (what differs between a board and
its golden image) and drawn at places of any design; what a mark *is* there follows from what it did to
the copper, as an inspector would say it:

  copper taken away: cut in two -> open, bitten from an edge -> mousebite, all inside -> pin_hole
  copper put there:  two joined -> short, grown from an edge -> spur,      by itself -> spurious_copper

Copper is 0, bare ground 255.
"""

import cv2
import numpy as np

from network import CLASSES

OPEN, SHORT, MOUSEBITE, SPUR, SPURIOUS_COPPER, PIN_HOLE = range(len(CLASSES))
TAKEN_AWAY = (OPEN, MOUSEBITE, PIN_HOLE)
BOX_MARGIN_PX = (7, 10)  # DeepPCB's annotators drew boxes about this far around the mark.
MARK_PX_MIN = 14  # Less than this is threshold noise.
PIECE_PX_MIN = 24  # A smaller piece of ground (copper) is a crumb of another mark: touching it means nothing.
SIDE_PX_MIN = 120  # A cut or bridge has sides at least this large; loops of a scribble enclose less.
CLEAR_PX = 3  # A mark this close to an edge without touching it could be called either way.
AROUND_PX = 16  # How far around a mark its effect is judged.
SCALE = (0.7, 1.5)
TRIES = 14


def cut_marks(folder):
    """Per class, the masks (bool) of the folder's marks."""
    marks = [[] for _ in CLASSES]
    for i in range(len(folder)):
        board, golden = folder.pair(i)
        for x1, y1, x2, y2, label in folder.boxes[i].astype(int):
            part = np.s_[max(0, y1 + 2) : max(0, y2 - 2), max(0, x1 + 2) : max(0, x2 - 2)]
            if label in TAKEN_AWAY:
                changed = (board[part] > 127) & (golden[part] < 128)
            else:
                changed = (board[part] < 128) & (golden[part] > 127)
            # Edges differ by a pixel everywhere; marks are wider.
            mask = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
            count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
            if count < 2 or stats[1:, cv2.CC_STAT_AREA].max() < MARK_PX_MIN:
                continue
            large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= 6]
            mask = np.isin(pieces, large)
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            marks[label].append(np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]))
    return marks


def turned(rng, mask):
    """The mask in one of eight symmetries, resized."""
    mask = np.rot90(mask, rng.integers(4))
    if rng.random() < 0.5:
        mask = mask[:, ::-1]
    sx, sy = np.exp(rng.uniform(*np.log(SCALE), 2))
    size = (max(3, round(mask.shape[1] * sx)), max(3, round(mask.shape[0] * sy)))
    grown = cv2.resize(np.ascontiguousarray(mask, np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
    return grown > 110


def pieces_in(mask, px_min):
    """Labels of the connected pieces, and the labels of those that have at least `px_min` pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return labels, [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= px_min]


def effect(before, changed, removes):
    """The class of a change to the bool copper map `before`, or None where people would disagree."""
    solid = before if removes else ~before  # what the mark goes into
    labels, whole = pieces_in(~solid, PIECE_PX_MIN)
    near = cv2.dilate(changed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    touched = [k for k in whole if (near & (labels == k)).any()]
    if not touched:
        nearly = cv2.dilate(changed.astype(np.uint8), np.ones((2 * CLEAR_PX + 1,) * 2, np.uint8)) > 0
        if (nearly & ~solid).any():
            return None
        return PIN_HOLE if removes else SPURIOUS_COPPER
    sides_before = len(pieces_in(solid, SIDE_PX_MIN)[1])
    sides_after = len(pieces_in(solid & ~changed, SIDE_PX_MIN)[1])
    if sides_after > sides_before:
        # Copper that comes back to its own track is a loop; a cut may well end a track that ended here anyway.
        return OPEN if removes else (SHORT if len(touched) > 1 else None)
    return None if len(touched) > 1 else (MOUSEBITE if removes else SPUR)


def draw_marks(rng, board, base, boxes, marks, count, area):
    """Draws up to `count` marks inside `area` (x1, y1, x2, y2) on `board`; returns the boxes with theirs.

    Places are judged on `base`, the board as designed. Board is changed in place.
    """
    x1, y1, x2, y2 = (int(v) for v in area)
    copper = base < 128
    edges = cv2.morphologyEx(base[y1:y2, x1:x2], cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    edge_points = np.flatnonzero(edges)
    found = [box for box in boxes]
    for _ in range(count):
        wanted = int(rng.integers(len(CLASSES)))
        removes = wanted in TAKEN_AWAY
        for _ in range(TRIES):
            source = wanted if rng.random() < 0.8 else int(rng.integers(len(CLASSES)))
            mask = turned(rng, marks[source][rng.integers(len(marks[source]))])
            height, width = mask.shape
            if wanted in (PIN_HOLE, SPURIOUS_COPPER) or len(edge_points) == 0:
                x, y = rng.integers(x1, x2), rng.integers(y1, y2)
            else:
                point = edge_points[rng.integers(len(edge_points))]
                x, y = x1 + point % (x2 - x1), y1 + point // (x2 - x1)
                x, y = x + rng.integers(-12, 13), y + rng.integers(-12, 13)
            left, top = int(x - width // 2), int(y - height // 2)
            outer = (left - AROUND_PX, top - AROUND_PX, left + width + AROUND_PX, top + height + AROUND_PX)
            if outer[0] < 0 or outer[1] < 0 or outer[2] > 640 or outer[3] > 640:
                continue
            window = np.s_[outer[1] : outer[3], outer[0] : outer[2]]
            before = copper[window]
            changed = np.zeros(before.shape, bool)
            changed[AROUND_PX : AROUND_PX + height, AROUND_PX : AROUND_PX + width] = mask
            changed &= before if removes else ~before
            size = int(changed.sum())
            if size < MARK_PX_MIN or size < 0.35 * mask.sum() or effect(before, changed, removes) != wanted:
                continue
            rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
            margin = int(rng.integers(BOX_MARGIN_PX[0], BOX_MARGIN_PX[1] + 1))
            box = np.array(
                [outer[0] + columns[0] - margin, outer[1] + rows[0] - margin,
                 outer[0] + columns[-1] + 1 + margin, outer[1] + rows[-1] + 1 + margin, wanted], np.float32)  # fmt: skip
            if any(box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3] for o in found):
                continue
            board[window][changed] = 255 if removes else 0
            found.append(box)
            break
    return np.array(found, np.float32).reshape(-1, 5)
