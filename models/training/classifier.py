"""Trains, scores and exports the second opinion: what is at the centre of a 64 x 64 crop.

  python3 classifier.py --split families-a --deeppcb DIR --synthetic DIR --cache DIR --output model.onnx

Input `crops` [B, 3, 64, 64]: board, golden image, their difference, 0..1, around a detection. Output
`probabilities` [B, 7]: the six defect classes, then background (nothing is wrong here). The window is a
square around the box's centre, a quarter longer than the box's longer side and at least 64 px, moved
into the image, resized to 64 px bilinearly. Takes minutes, so it does not resume.
"""

import argparse
import time

import cv2
import numpy as np
import onnx
import torch
from torch import nn

import board_folder
from augment import CROP_PX, Recipe, training_crop
from export import OPSET, fuse
from marks import cut_marks
from network import CLASSES, Residual, conv
from splits import boards_of
from train import learning_rate

WINDOW_PX = 64
MARGIN = 1.25
BACKGROUND = len(CLASSES)
# Detections are off by a few pixels and per cent; the classifier must not mind.
JITTER_PX = 5
JITTER_SCALE = 0.12
# As many windows on nothing as on defects, some of them where a mark ends: the detector errs there.
NEAR_SHARE = 0.3
PAIRS_PER_STEP = 6
# Boards without golden image are judged, too; marks drawn on changed designs teach what damage is apart from the few designs.
RECIPE = Recipe(clean=0.10, design=0.12, no_golden=0.2, redesigned=0.2, drawn_on_redesigned=6, drawn_on_others=2)


class MarkNet(nn.Module):
    """About 100,000 parameters, half a CPU-millisecond a crop."""

    def __init__(self, widths=(24, 48, 80)):
        super().__init__()
        w2, w4, w8 = widths
        self.body = nn.Sequential(
            conv(3, w2, 5, 2, 2), conv(w2, w4, 3, 2, 1), Residual(w4), conv(w4, w8, 3, 2, 1), nn.MaxPool2d(2)
        )
        # Where in the window something is matters (the mark at the centre counts), so no pooling over all.
        self.head = nn.Sequential(nn.Conv2d(w8, 32, 1), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(32 * 16, 7))

    def forward(self, crops):
        return self.head(self.body(crops))


def window(planes, box):
    """The square around a box as the contract above says; uint8 planes [3, H, W] -> [3, 64, 64]."""
    height, width = planes.shape[1:]
    side = int(round(min(max(WINDOW_PX, MARGIN * max(box[2] - box[0], box[3] - box[1])), width, height)))
    left = int(np.clip(round((box[0] + box[2]) / 2 - side / 2), 0, width - side))
    top = int(np.clip(round((box[1] + box[3]) / 2 - side / 2), 0, height - side))
    part = planes[:, top : top + side, left : left + side]
    if side == WINDOW_PX:
        return part
    return np.stack([cv2.resize(p, (WINDOW_PX, WINDOW_PX), interpolation=cv2.INTER_LINEAR) for p in part])


def jittered(rng, box):
    centre = np.array([box[0] + box[2], box[1] + box[3]]) / 2 + rng.uniform(-JITTER_PX, JITTER_PX, 2)
    half = np.array([box[2] - box[0], box[3] - box[1]]) / 2 * np.exp(rng.uniform(-JITTER_SCALE, JITTER_SCALE, 2))
    return np.concatenate([centre - half, centre + half])


def background_box(rng, boxes, side_px):
    """A box whose centre lies outside every mark; sometimes close to one. `None` when none was found."""
    for _ in range(8):
        size = rng.uniform(26, 60)
        centre = rng.uniform(32, side_px - 32, 2)
        if len(boxes) and rng.random() < NEAR_SHARE:
            mark = boxes[rng.integers(len(boxes))]
            centre = (mark[:2] + mark[2:4]) / 2 + rng.uniform(-70, 70, 2)
        inside = ((boxes[:, :2] - 12 < centre) & (centre < boxes[:, 2:4] + 12)).all(axis=1) if len(boxes) else [False]
        if not np.any(inside) and (centre > 32).all() and (centre < side_px - 32).all():
            return np.concatenate([centre - size / 2, centre + size / 2])
    return None


def windows_of(rng, planes, boxes, cut_at_px=None):
    """Windows and labels of marks and of nothing; marks cut by a crop's edge are no honest examples."""
    crops, labels = [], []
    for box in boxes:
        if cut_at_px is not None and (box[:2].min() < 2 or box[2:4].max() > cut_at_px - 2):
            continue
        crops.append(window(planes, jittered(rng, box)))
        labels.append(int(box[4]))
        if (nothing := background_box(rng, boxes, planes.shape[1])) is not None:
            crops.append(window(planes, nothing))
            labels.append(BACKGROUND)
    if len(boxes) == 0:
        for _ in range(2):
            crops.append(window(planes, background_box(rng, boxes, planes.shape[1])))
            labels.append(BACKGROUND)
    return crops, labels


def tensor(crops):
    return torch.from_numpy(np.stack(crops)).float().div_(255).contiguous(memory_format=torch.channels_last)


def train(network, sources, shares, steps, seed):
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.03)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.02)
    marks = cut_marks(sources[0])
    losses, begun = [], time.process_time()
    for step in range(steps):
        rng = np.random.default_rng([seed, step])
        crops, labels = [], []
        for _ in range(PAIRS_PER_STEP):
            folder = sources[rng.choice(len(sources), p=shares)]
            planes, boxes = training_crop(rng, folder, int(rng.integers(len(folder))), RECIPE, marks)
            more, names = windows_of(rng, planes, boxes, CROP_PX)
            crops, labels = crops + more, labels + names
        if len(crops) < 2:
            continue
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, 3e-3)
        loss = loss_of(network(tensor(crops)), torch.tensor(labels))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if (step + 1) % 500 == 0:
            print(f"step {step + 1} loss={np.mean(losses[-500:]):.4f} cpu_s={time.process_time() - begun:.0f}", flush=True)


def report(network, folder, name):
    """Accuracy and confusion on whole boards: every mark, and one window on nothing beside it."""
    rng = np.random.default_rng(0)
    matrix = np.zeros((7, 7), int)
    for i in range(len(folder)):
        board, golden = folder.pair(i)
        crops, labels = windows_of(rng, np.stack([board, golden, cv2.absdiff(board, golden)]), folder.boxes[i])
        with torch.no_grad():
            for label, found in zip(labels, network(tensor(crops)).argmax(1).tolist()):
                matrix[label, found] += 1
    names = [*CLASSES, "background"]
    recalls = " ".join(f"{n}={matrix[i, i] / max(1, matrix[i].sum()):.4f}" for i, n in enumerate(names))
    print(f"{name}: windows={matrix.sum()} accuracy={np.trace(matrix) / matrix.sum():.4f} {recalls}")
    for label, row in zip(names, matrix):
        print(f"{label:>16}" + "".join(f"{v:6d}" for v in row))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--split", default="families-a")
    parser.add_argument("--deeppcb", required=True)
    parser.add_argument("--synthetic", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    deeppcb = board_folder.load(args.deeppcb, args.cache)
    pick = lambda part: boards_of(deeppcb, args.split, part)
    synthetic = board_folder.load(args.synthetic, args.cache)
    cut = len(synthetic) * 9 // 10
    network = MarkNet().to(memory_format=torch.channels_last)
    train(network, [pick("train"), synthetic.select(list(range(cut)))], [0.7, 0.3], args.steps, args.seed)
    network.eval()
    report(network, pick("held-out"), f"{args.split} held-out")
    report(network, synthetic.select(list(range(cut, len(synthetic)))), "generated")
    fuse(network)
    torch.onnx.export(
        nn.Sequential(network, nn.Softmax(1)).eval(),
        torch.rand(2, 3, WINDOW_PX, WINDOW_PX),
        args.output,
        opset_version=OPSET,
        input_names=["crops"],
        output_names=["probabilities"],
        dynamic_axes={"crops": {0: "batch"}, "probabilities": {0: "batch"}},
        do_constant_folding=True,
    )
    onnx.checker.check_model(onnx.load(args.output))


if __name__ == "__main__":
    main()
