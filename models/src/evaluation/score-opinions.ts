import type { Detection } from '@chip-quality/schemas';
import { OPINION_KINDS, type OpinionKind, opinionKindOf } from '../judging/opinion-counts.ts';
import { intersectionOverUnion, MATCH_IOU, type TrueDefect } from './score-detections.ts';

/** Who was right about some detections. Both may be wrong; where they agree, both are right or neither. */
interface OpinionScore {
  /** How many detections of this kind there are. */
  readonly detections: number;
  /** Of these, those whose own label is right. */
  readonly detectorRight: number;
  /** Of these, those whose second opinion is right. */
  readonly opinionRight: number;
}

/** What second opinions were worth. */
export interface OpinionScores {
  /** By how the second opinion stands to the detection. */
  readonly byKind: Readonly<Record<OpinionKind, OpinionScore>>;
  /**
   * Take as many of the least sure detections as there are disagreements: how many of these are wrong. What a person
   * would find by looking at the least sure ones instead.
   */
  readonly wrongAmongLeastSure: number;
}

/**
 * Compares detections and second opinions with what is there: a label is right when a box of it overlaps above
 * {@link MATCH_IOU}, `background` when no box does.
 */
export function scoreOpinions(
  boards: readonly { readonly detections: readonly Detection[]; readonly truth: readonly TrueDefect[] }[],
): OpinionScores {
  const score = () => ({ detections: 0, detectorRight: 0, opinionRight: 0 });
  const byKind = { agrees: score(), 'other-label': score(), background: score(), none: score() };
  const asked: { readonly confidence: number; readonly isWrong: boolean }[] = [];
  for (const { detections, truth } of boards) {
    for (const detection of detections) {
      const there = truth.filter((defect) => intersectionOverUnion(detection, defect) > MATCH_IOU);
      const isThere = (label: string) => there.some((defect) => defect.label === label);
      const { secondOpinion } = detection;
      const kind = opinionKindOf(detection);
      const mine = byKind[kind];
      mine.detections += 1;
      const isDetectorRight = isThere(detection.label);
      if (isDetectorRight) mine.detectorRight += 1;
      if (kind !== 'none') asked.push({ confidence: detection.confidence, isWrong: !isDetectorRight });
      const isRight = kind === 'background' ? there.length === 0 : isThere(secondOpinion?.label ?? '');
      if (isRight) mine.opinionRight += 1;
    }
  }
  const disagreements = byKind['other-label'].detections + byKind.background.detections;
  const leastSure = asked.sort((a, b) => a.confidence - b.confidence).slice(0, disagreements);
  return { byKind, wrongAmongLeastSure: leastSure.filter(({ isWrong }) => isWrong).length };
}

/** The lines that `npm run models:evaluate` prints about second opinions; none where nobody was asked. */
export function formatOpinions({ byKind, wrongAmongLeastSure }: OpinionScores): string[] {
  const asked = OPINION_KINDS.filter((kind) => kind !== 'none' && byKind[kind].detections > 0);
  if (asked.length === 0) return [];
  const lines = asked.map((kind) => {
    const { detections, detectorRight, opinionRight } = byKind[kind];
    return `  second opinion ${kind}: detections=${detections} detector_right=${detectorRight} opinion_right=${opinionRight}`;
  });
  const { agrees, 'other-label': other, background } = byKind;
  const wrong = ({ detections, detectorRight }: OpinionScore) => detections - detectorRight;
  const doubted = {
    detections: other.detections + background.detections,
    detectorRight: other.detectorRight + background.detectorRight,
    opinionRight: other.opinionRight + background.opinionRight,
  };
  const share = (part: number, whole: number) => (whole === 0 ? '-' : (part / whole).toFixed(4));
  const summary = [
    `agreement=${share(agrees.detections, agrees.detections + doubted.detections)}`,
    `wrong_when_agreed=${share(wrong(agrees), agrees.detections)}`,
    `wrong_when_disagreed=${share(wrong(doubted), doubted.detections)}`,
    `opinion_right_when_disagreed=${share(doubted.opinionRight, doubted.detections)}`,
    `wrong_found=${share(wrong(doubted), wrong(agrees) + wrong(doubted))}`,
    `wrong_found_by_confidence=${share(wrongAmongLeastSure, wrong(agrees) + wrong(doubted))}`,
  ];
  return [...lines, `  ${summary.join(' ')}`];
}
