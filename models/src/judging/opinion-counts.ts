import type { Detection } from '@chip-quality/schemas';

/** How a second opinion stands to the detection: `none` where nobody was asked. */
export const OPINION_KINDS = ['agrees', 'other-label', 'background', 'none'] as const;

/** One of {@link OPINION_KINDS}. */
export type OpinionKind = (typeof OPINION_KINDS)[number];

/** How many of some detections there are of each kind. */
export type OpinionCounts = Readonly<Record<OpinionKind, number>>;

/** How the classifier's word stands to this detection. */
export function opinionKindOf({ secondOpinion }: Pick<Detection, 'secondOpinion'>): OpinionKind {
  if (secondOpinion === undefined) return 'none';
  if (!secondOpinion.disagrees) return 'agrees';
  return secondOpinion.defectType === null ? 'background' : 'other-label';
}

/** Counts detections by what the classifier says of them. */
export function countOpinions(detections: readonly Pick<Detection, 'secondOpinion'>[]): OpinionCounts {
  const counts = { agrees: 0, 'other-label': 0, background: 0, none: 0 };
  for (const detection of detections) counts[opinionKindOf(detection)] += 1;
  return counts;
}
