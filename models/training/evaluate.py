"""Scores a checkpoint and chooses the verdict threshold.

  python3 evaluate.py --checkpoint FILE --deeppcb DIR --line DIR --cache DIR [--write-threshold classes.json]

The threshold is the one with the best mean F over two sets that training did not touch: validation
boards of DeepPCB's trained families, and generated boards of which one in eight is defective, as on
the line, where each false alarm weighs more. The held-out families take no part in the choice.
"""

import argparse
import pathlib
import re

import numpy as np
import torch

import board_folder
from network import DefectNet
from scoring import mean_average_precision, score_at
from train import SPLITS, detect

GRID = np.arange(0.2, 0.81, 0.01)
# Thresholds this close to the best F are as good; the middle of them is the most robust.
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
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--deeppcb", required=True)
    parser.add_argument("--line", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--write-threshold")
    args = parser.parse_args()
    torch.set_num_threads(1)
    network = DefectNet().to(memory_format=torch.channels_last)
    network.load_state_dict(torch.load(args.checkpoint)["average"])
    network.eval()
    deeppcb = board_folder.load(args.deeppcb, args.cache)
    index = {name: i for i, name in enumerate(deeppcb.ids)}
    pick = lambda name: deeppcb.select([index[i] for i in board_folder.read_split(SPLITS / f"{name}.txt")])
    sets = {
        "validation": pick("validation"),
        "line": board_folder.load(args.line, args.cache),
        "held-out": pick("held-out"),
    }
    found = {name: detect(network, folder) for name, folder in sets.items()}
    # Verdicts are made of what is left per mark; only boxes that some threshold keeps matter.
    verdicts = {
        name: [one_per_mark(rows[rows[:, 4] >= GRID[0]]) for rows in boards] for name, boards in found.items()
    }
    f = np.array(
        [np.mean([score_at(verdicts[s], sets[s].boxes, t)[2] for s in ("validation", "line")]) for t in GRID]
    )
    plateau = GRID[f >= f.max() - PLATEAU_F]
    threshold = round(float(plateau[len(plateau) // 2]), 2)
    print(f"threshold={threshold} (from {plateau[0]:.2f} to {plateau[-1]:.2f} as good)")
    for name, folder in sets.items():
        mean, values = mean_average_precision(found[name], folder.boxes)
        precision, recall, score = score_at(verdicts[name], folder.boxes, threshold)
        classes = " ".join(f"{v:.3f}" for v in values)
        print(f"{name}: boards={len(folder)} mAP={mean:.4f} F={score:.4f} precision={precision:.4f} recall={recall:.4f} [{classes}]")
    if args.write_threshold:
        path = pathlib.Path(args.write_threshold)
        text = re.sub(r'("verdictThreshold": )[0-9.]+', rf"\g<1>{threshold}", path.read_text())
        path.write_text(text)


if __name__ == "__main__":
    main()
