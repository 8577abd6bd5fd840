"""Training targets and losses on the stride-8 map."""

import numpy as np
import torch

from network import CLASSES, STRIDE_PX

# Boxes are also taught at the eight cells around the centre: the peak that is read at inference
# may be one cell off.
NEIGHBOURS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


def encode(batch_boxes, cells):
    """Heat map [B,6,c,c], boxes [B,4,c,c] (pixels), weights [B,c,c] from lists of boxes [n,5]."""
    count = len(batch_boxes)
    heat = np.zeros((count, len(CLASSES), cells, cells), np.float32)
    target = np.zeros((count, 4, cells, cells), np.float32)
    weight = np.zeros((count, cells, cells), np.float32)
    grid = np.arange(cells, dtype=np.float32)
    for b, boxes in enumerate(batch_boxes):
        for x1, y1, x2, y2, label in boxes:
            cx, cy = (x1 + x2) / 2 / STRIDE_PX - 0.5, (y1 + y2) / 2 / STRIDE_PX - 0.5
            sx = max(0.7, (x2 - x1) / STRIDE_PX * 0.15)
            sy = max(0.7, (y2 - y1) / STRIDE_PX * 0.15)
            ix, iy = int(np.clip(round(cx), 0, cells - 1)), int(np.clip(round(cy), 0, cells - 1))
            bump = np.exp(
                -((grid[:, None] - iy) ** 2) / (2 * sy * sy) - (grid[None, :] - ix) ** 2 / (2 * sx * sx)
            )
            plane = heat[b, int(label)]
            np.maximum(plane, bump, out=plane)
            for dy, dx in NEIGHBOURS:
                y, x = iy + dy, ix + dx
                if 0 <= y < cells and 0 <= x < cells and bump[y, x] > weight[b, y, x]:
                    weight[b, y, x] = bump[y, x]
                    target[b, :, y, x] = (x1, y1, x2, y2)
    return torch.from_numpy(heat), torch.from_numpy(target), torch.from_numpy(weight)


def focal_loss(logits, heat):
    """CenterNet's focal loss, summed over the map, per positive centre."""
    log_p, log_n = torch.nn.functional.logsigmoid(logits), torch.nn.functional.logsigmoid(-logits)
    p = torch.sigmoid(logits)
    positive = heat.eq(1.0)
    loss = torch.where(positive, log_p * (1 - p) ** 2, log_n * p**2 * (1 - heat) ** 4)
    return -loss.sum() / positive.sum().clamp(min=1)


def iou_loss(distances, target, weight):
    """1 - generalised IoU at the taught cells, weighted by closeness to the centre."""
    cells = weight.shape[-1]
    b, y, x = torch.nonzero(weight > 0, as_tuple=True)
    if len(b) == 0:
        return distances.sum() * 0.0
    d = distances[b, :, y, x]
    t = target[b, :, y, x]
    px, py = (x.float() + 0.5) * STRIDE_PX, (y.float() + 0.5) * STRIDE_PX
    x1, y1, x2, y2 = px - d[:, 0], py - d[:, 1], px + d[:, 2], py + d[:, 3]
    inter_w = (torch.minimum(x2, t[:, 2]) - torch.maximum(x1, t[:, 0])).clamp(min=0)
    inter_h = (torch.minimum(y2, t[:, 3]) - torch.maximum(y1, t[:, 1])).clamp(min=0)
    inter = inter_w * inter_h
    union = (x2 - x1) * (y2 - y1) + (t[:, 2] - t[:, 0]) * (t[:, 3] - t[:, 1]) - inter
    hull = (torch.maximum(x2, t[:, 2]) - torch.minimum(x1, t[:, 0])) * (
        torch.maximum(y2, t[:, 3]) - torch.minimum(y1, t[:, 1])
    )
    giou = inter / union.clamp(min=1) - (hull - union) / hull.clamp(min=1)
    w = weight[b, y, x]
    return ((1 - giou) * w).sum() / w.sum()
