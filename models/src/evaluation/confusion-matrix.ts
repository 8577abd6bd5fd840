import { intersectionOverUnion, MATCH_IOU, type ScoredDetection, type TrueDefect } from './score-detections.ts';

/** The row of detections on nothing, and the column of defects that were not found. */
export const NOTHING = 'nothing';

/** True label (or {@link NOTHING}) → detected label (or {@link NOTHING}) → how many. */
export type ConfusionMatrix = ReadonlyMap<string, ReadonlyMap<string, number>>;

/**
 * Counts what defects were taken for: the surest detection first takes the best overlapping free box above
 * {@link MATCH_IOU} whatever its class. Detections that overlap none count as {@link NOTHING} taken for
 * their label.
 */
export function confusionOf(
  boards: readonly { readonly detections: readonly ScoredDetection[]; readonly truth: readonly TrueDefect[] }[],
): ConfusionMatrix {
  const matrix = new Map<string, Map<string, number>>();
  const count = (truth: string, found: string) => {
    const row = matrix.get(truth) ?? new Map<string, number>();
    matrix.set(truth, row.set(found, (row.get(found) ?? 0) + 1));
  };
  for (const { detections, truth } of boards) {
    const free = new Set(truth);
    for (const detection of [...detections].sort((a, b) => b.confidence - a.confidence)) {
      const best = [...free]
        .map((defect) => ({ defect, overlap: intersectionOverUnion(detection, defect) }))
        .filter(({ overlap }) => overlap > MATCH_IOU)
        .sort((a, b) => b.overlap - a.overlap)[0]?.defect;
      if (best !== undefined) free.delete(best);
      count(best?.label ?? NOTHING, detection.label);
    }
    for (const { label } of free) count(label, NOTHING);
  }
  return matrix;
}

/** The matrix as a table in lines: a row for each true label, a column for each detected one. */
export function formatConfusion(matrix: ConfusionMatrix, labels: readonly string[]): string {
  const names = [...labels, NOTHING];
  const width = Math.max(...names.map((name) => name.length)) + 1;
  const line = (cells: readonly string[]) => cells.map((cell) => cell.padStart(width)).join('');
  return [
    line(['true \\ found', ...names]),
    ...names.map((truth) => line([truth, ...names.map((found) => String(matrix.get(truth)?.get(found) ?? 0))])),
  ].join('\n');
}
