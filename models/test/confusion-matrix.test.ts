import { expect, test } from 'vitest';
import { confusionOf, formatConfusion, NOTHING } from '../src/evaluation/confusion-matrix.ts';

const box = (x1: number, label: string) => ({ x1, y1: 0, x2: x1 + 10, y2: 10, label });

test('a confusion matrix counts what was right, taken for another class, missed, and seen where nothing is', () => {
  const matrix = confusionOf([
    {
      truth: [box(0, 'open'), box(100, 'short'), box(200, 'short')],
      detections: [
        { ...box(1, 'open'), confidence: 0.9 },
        { ...box(101, 'open'), confidence: 0.8 },
        { ...box(300, 'short'), confidence: 0.7 },
      ],
    },
  ]);
  expect(matrix.get('open')?.get('open')).toBe(1);
  expect(matrix.get('short')?.get('open')).toBe(1);
  expect(matrix.get('short')?.get(NOTHING)).toBe(1);
  expect(matrix.get(NOTHING)?.get('short')).toBe(1);
  expect(formatConfusion(matrix, ['open', 'short']).split('\n').at(2)?.trim().split(/\s+/)).toEqual([
    'short',
    '1',
    '0',
    '1',
  ]);
});
