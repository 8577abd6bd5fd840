import type { Detection } from '@chip-quality/schemas';
import { intersectionOverUnion, MATCH_IOU } from '../evaluation/score-detections.ts';

/** Boards that two versions have both seen, by how far they agree. */
export interface ShadowComparison {
  /** Boards on which both found equal defects at equal places. */
  readonly same: number;
  /** Boards with one verdict, for different defects. */
  readonly defectsDiffer: number;
  /** Boards that one flags and the other does not. */
  readonly verdictDiffers: number;
}

/** Compares the answers of two versions board by board; both hold only what reaches the versions' own thresholds. */
export function compareDetections(
  mine: readonly (readonly Detection[])[],
  theirs: readonly (readonly Detection[])[],
): ShadowComparison {
  const counts = { same: 0, defectsDiffer: 0, verdictDiffers: 0 };
  mine.forEach((one, index) => {
    const other = theirs[index] ?? [];
    if (one.length > 0 !== other.length > 0) counts.verdictDiffers += 1;
    else if (one.length === other.length && isMatched(one, other)) counts.same += 1;
    else counts.defectsDiffer += 1;
  });
  return counts;
}

/** Whether every box has a partner of the same label that lies on it; each partner serves once. */
function isMatched(one: readonly Detection[], other: readonly Detection[]): boolean {
  const free = new Set(other);
  for (const box of one) {
    let best: Detection | undefined;
    let bestIou = MATCH_IOU;
    for (const candidate of free) {
      const iou = intersectionOverUnion(box, candidate);
      if (candidate.label === box.label && iou > bestIou) {
        best = candidate;
        bestIou = iou;
      }
    }
    if (best === undefined) return false;
    free.delete(best);
  }
  return true;
}
