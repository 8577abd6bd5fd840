"""DeepPCB's rule: a detection is right when a box of its class not yet taken has IoU > 0.33."""

import numpy as np

IOU_MIN = 0.33


def iou_matrix(a, b):
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    inter = np.prod(np.clip(high - low, 0, None), axis=2)
    area = lambda r: np.prod(r[:, 2:4] - r[:, :2], axis=1)
    return inter / (area(a)[:, None] + area(b)[None, :] - inter + 1e-9)


def match(detections, boxes):
    """For detections [n,6] sorted by confidence: which are right (greedy, each box once)."""
    right = np.zeros(len(detections), bool)
    if len(boxes) == 0 or len(detections) == 0:
        return right
    overlaps = iou_matrix(detections, boxes)
    overlaps[detections[:, 5][:, None] != boxes[:, 4][None, :]] = 0
    for i in range(len(detections)):
        j = int(np.argmax(overlaps[i]))
        if overlaps[i, j] > IOU_MIN:
            right[i] = True
            overlaps[:, j] = 0
    return right


def mean_average_precision(all_detections, all_boxes, classes=6):
    """Area under the monotone precision-recall curve, averaged over the classes that occur."""
    values = []
    for label in range(classes):
        scores, right, total = [], [], 0
        for detections, boxes in zip(all_detections, all_boxes):
            mine = detections[detections[:, 5] == label]
            truth = boxes[boxes[:, 4] == label]
            total += len(truth)
            scores.append(mine[:, 4])
            right.append(match(mine, truth))
        if total == 0:
            continue
        order = np.argsort(-np.concatenate(scores), kind="stable")
        hits = np.concatenate(right)[order].astype(np.float64)
        recall = np.concatenate([[0], np.cumsum(hits) / total])
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        values.append(float(np.sum(np.diff(recall) * precision)))
    return float(np.mean(values)), values


def score_at(all_detections, all_boxes, threshold):
    """Precision, recall and F at one confidence threshold."""
    right = found = total = 0
    for detections, boxes in zip(all_detections, all_boxes):
        kept = detections[detections[:, 4] >= threshold]
        right += int(match(kept, boxes).sum())
        found += len(kept)
        total += len(boxes)
    precision = right / found if found else 1.0
    recall = right / total if total else 1.0
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def best_threshold(all_detections, all_boxes):
    """The threshold with the highest F; of a plateau its middle, which is the most robust."""
    grid = np.arange(0.15, 0.86, 0.01)
    scores = np.array([score_at(all_detections, all_boxes, t)[2] for t in grid])
    plateau = grid[scores >= scores.max() - 0.0005]
    return round(float(plateau[len(plateau) // 2]), 2)
