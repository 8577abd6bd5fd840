"""Chooses a served model's verdict threshold and writes it into the classes.json beside its weights.

  choose_threshold.py --model model.onnx --split random --deeppcb DIR --line DIR --cache DIR --write classes.json

The threshold is the one with the best mean F over two sets that training did not touch: validation
boards of DeepPCB's trained families, and generated boards of which one in eight is defective, as on
the line, where each false alarm weighs more. The boards held out take no part in the choice.
"""

import argparse
import pathlib
import re

import numpy as np

import board_folder
from scoring import score_at
from served import detect, open_model
from splits import boards_of

GRID = np.arange(0.2, 0.81, 0.01)
# Thresholds this close to the best F are as good; of them the middle, which the next boards move least.
PLATEAU_F = 0.002


def one_per_mark(detections, iou_max=0.5):
    """As the engine does: of boxes on one mark the surest, whatever their classes."""
    kept = []
    for row in detections[np.argsort(-detections[:, 4], kind="stable")]:
        if all(overlap(row, other) <= iou_max for other in kept):
            kept.append(row)
    return np.array(kept).reshape(-1, 6)


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--split", required=True, help="the folder of splits/ that the network was trained with")
    parser.add_argument("--deeppcb", required=True)
    parser.add_argument("--line", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--write", required=True, help="the classes.json that gets the threshold")
    args = parser.parse_args()
    model = open_model(args.model)
    deeppcb = board_folder.load(args.deeppcb, args.cache)
    sets = [boards_of(deeppcb, args.split, "validation"), board_folder.load(args.line, args.cache)]
    # Verdicts are made of what is left per mark; only boxes that some threshold keeps matter.
    verdicts = [[one_per_mark(rows[rows[:, 4] >= GRID[0]]) for rows in detect(model, folder)] for folder in sets]
    f = np.array([np.mean([score_at(v, s.boxes, t)[2] for v, s in zip(verdicts, sets)]) for t in GRID])
    plateau = GRID[f >= f.max() - PLATEAU_F]
    threshold = round(float(plateau[len(plateau) // 2]), 2)
    print(f"threshold={threshold} F={f.max():.4f} (from {plateau[0]:.2f} to {plateau[-1]:.2f} as good)")
    path = pathlib.Path(args.write)
    path.write_text(re.sub(r'("verdictThreshold": )[0-9.]+', rf"\g<1>{threshold}", path.read_text()))


if __name__ == "__main__":
    main()
