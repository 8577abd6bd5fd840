/** A box in pixels; `x2` and `y2` exclusive. */
export interface Box {
  /** Left edge, inclusive. */
  readonly x1: number;
  /** Upper edge, inclusive. */
  readonly y1: number;
  /** Right edge, exclusive. */
  readonly x2: number;
  /** Lower edge, exclusive. */
  readonly y2: number;
}

/** A defect that is really there, by annotation or by the board generator. */
export interface TrueDefect extends Box {
  /** The class a detector should give it. */
  readonly label: string;
}

/** What is scored: any detection with a label and a confidence. */
export interface ScoredDetection extends TrueDefect {
  /** How sure the model is, 0 to 1. */
  readonly confidence: number;
}

/** Counts over one or more boards. */
export interface DetectionScore {
  /** Detections that match a defect of their class. */
  readonly truePositives: number;
  /** Detections that match none. */
  readonly falsePositives: number;
  /** Defects that no detection matches. */
  readonly falseNegatives: number;
}

/** The DeepPCB benchmark's rule: a detection is right above this overlap with a box of its class. */
export const MATCH_IOU = 0.33;

/** Overlap of two boxes, 0 to 1. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - both);
}

/**
 * Compares the detections of one board with its true defects: the surest detection first takes the
 * best overlapping free box of its class, if above {@link MATCH_IOU}; each box counts once.
 */
export function scoreDetections(detections: readonly ScoredDetection[], truth: readonly TrueDefect[]): DetectionScore {
  const truePositives = rightDetections(detections, truth).filter(({ right }) => right).length;
  return {
    truePositives,
    falsePositives: detections.length - truePositives,
    falseNegatives: truth.length - truePositives,
  };
}

/** Adds up the scores of several boards. */
export function sumScores(scores: readonly DetectionScore[]): DetectionScore {
  const sum = { truePositives: 0, falsePositives: 0, falseNegatives: 0 };
  for (const score of scores) {
    sum.truePositives += score.truePositives;
    sum.falsePositives += score.falsePositives;
    sum.falseNegatives += score.falseNegatives;
  }
  return sum;
}

/** Precision, recall and their harmonic mean, 0 to 1; nothing found counts as precision 1, nothing there as recall 1. */
export function ratesOf(score: DetectionScore): {
  /** Share of the detections that are right. */
  precision: number;
  /** Share of the defects that were found. */
  recall: number;
  /** Harmonic mean of both; 0 where both are 0. */
  f: number;
} {
  const { truePositives, falsePositives, falseNegatives } = score;
  const found = truePositives + falsePositives;
  const there = truePositives + falseNegatives;
  const precision = found === 0 ? 1 : truePositives / found;
  const recall = there === 0 ? 1 : truePositives / there;
  const sum = precision + recall;
  return { precision, recall, f: sum === 0 ? 0 : (2 * precision * recall) / sum };
}

/** Detections and truth of one board. */
export interface JudgedBoard {
  /** What the model reported, in any order. */
  readonly detections: readonly ScoredDetection[];
  /** What is really wrong with the board. */
  readonly truth: readonly TrueDefect[];
}

/**
 * Average precision of one label over many boards: the area under the precision-recall curve with
 * precision made monotone. `undefined` when no board has a defect of that label. Needs detections
 * down to a low confidence, or the curve's tail is missing.
 */
export function averagePrecision(boards: readonly JudgedBoard[], label: string): number | undefined {
  let total = 0;
  const judged: { confidence: number; right: boolean }[] = [];
  for (const { detections, truth } of boards) {
    const there = truth.filter((defect) => defect.label === label);
    total += there.length;
    judged.push(
      ...rightDetections(
        detections.filter((detection) => detection.label === label),
        there,
      ),
    );
  }
  if (total === 0) return undefined;
  judged.sort((a, b) => b.confidence - a.confidence);
  const precisions: number[] = [];
  const recalls: number[] = [];
  let hits = 0;
  judged.forEach(({ right }, i) => {
    if (right) hits += 1;
    precisions.push(hits / (i + 1));
    recalls.push(hits / total);
  });
  let area = 0;
  let best = 0;
  for (let i = precisions.length - 1; i >= 0; i -= 1) {
    best = Math.max(best, precisions[i] ?? 0);
    area += best * ((recalls[i] ?? 0) - (recalls[i - 1] ?? 0));
  }
  return area;
}

/** {@link averagePrecision} of every label that occurs in the truth. */
export function averagePrecisions(boards: readonly JudgedBoard[]): Map<string, number> {
  const labels = new Set(boards.flatMap(({ truth }) => truth.map(({ label }) => label)));
  return new Map([...labels].sort().map((label) => [label, averagePrecision(boards, label) ?? 0]));
}

/** Mean of {@link averagePrecisions}; 0 when no board has a defect. */
export function meanAveragePrecision(boards: readonly JudgedBoard[]): number {
  const values = [...averagePrecisions(boards).values()];
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rightDetections(
  detections: readonly ScoredDetection[],
  truth: readonly TrueDefect[],
): { confidence: number; right: boolean }[] {
  const free = new Set(truth);
  const ordered = [...detections].sort((a, b) => b.confidence - a.confidence);
  return ordered.map((detection) => {
    let best: TrueDefect | undefined;
    let bestOverlap = MATCH_IOU;
    for (const defect of free) {
      if (defect.label !== detection.label) continue;
      const overlap = intersectionOverUnion(detection, defect);
      if (overlap > bestOverlap) {
        best = defect;
        bestOverlap = overlap;
      }
    }
    if (best !== undefined) free.delete(best);
    return { confidence: detection.confidence, right: best !== undefined };
  });
}
