import type { ClassifierOpinion } from '@chip-quality/schemas';
import { expect, test } from 'vitest';
import { formatOpinions, scoreOpinions } from '../src/evaluation/score-opinions.ts';
import { countOpinions } from '../src/judging/opinion-counts.ts';
import { detection } from './support/faulty-engine.ts';

const opinion = (label: string): ClassifierOpinion => ({
  ...{ label, probability: 0.9, disagrees: label !== 'open' },
  defectType: label === 'background' ? null : 'open',
});
const at = (x1: number, label?: string) =>
  detection({
    x1,
    x2: x1 + 20,
    confidence: 0.5 + x1 / 1000,
    ...(label === undefined ? {} : { secondOpinion: opinion(label) }),
  });
const truth = [
  { x1: 10, y1: 10, x2: 30, y2: 30, label: 'open' },
  { x1: 100, y1: 10, x2: 120, y2: 30, label: 'mousebite' },
];

test('second opinions are scored by how they stand to the detection and by what is there', () => {
  const detections = [
    ...[at(10, 'open'), at(200, 'open')],
    ...[at(10, 'mousebite'), at(100, 'mousebite'), at(100, 'spur')],
    ...[at(10, 'background'), at(200, 'background')],
    at(10),
  ];
  const scores = scoreOpinions([{ detections, truth }]);
  expect(scores.byKind).toEqual({
    agrees: { detections: 2, detectorRight: 1, opinionRight: 1 },
    'other-label': { detections: 3, detectorRight: 1, opinionRight: 1 },
    background: { detections: 2, detectorRight: 1, opinionRight: 1 },
    none: { detections: 1, detectorRight: 1, opinionRight: 0 },
  });
  // Of five disagreements; the five least sure are three on the open, all right, and the two on the mousebite.
  expect(scores.wrongAmongLeastSure).toBe(2);
  expect(countOpinions(detections)).toEqual({ agrees: 2, 'other-label': 3, background: 2, none: 1 });
  expect(formatOpinions(scores).at(-1)?.trim()).toBe(
    'agreement=0.2857 wrong_when_agreed=0.5000 wrong_when_disagreed=0.6000 ' +
      'opinion_right_when_disagreed=0.4000 wrong_found=0.7500 wrong_found_by_confidence=0.5000',
  );
});

test('where nobody was asked nothing is printed', () => {
  expect(formatOpinions(scoreOpinions([{ detections: [at(10)], truth }]))).toEqual([]);
});
