import { describe, expect, test } from 'vitest';
import {
  averagePrecision,
  intersectionOverUnion,
  meanAveragePrecision,
  ratesOf,
  scoreDetections,
  sumScores,
} from '../src/index.ts';

const box = (x: number, label = 'open', side = 10) => ({ x1: x, y1: 0, x2: x + side, y2: side, label });
const seen = (x: number, confidence: number, label = 'open') => ({ ...box(x, label), confidence });

describe('scoreDetections', () => {
  test('counts a box once, for its surest detection', () => {
    const score = scoreDetections([seen(1, 0.6), seen(0, 0.9)], [box(0)]);
    expect(score).toEqual({ truePositives: 1, falsePositives: 1, falseNegatives: 0 });
  });

  test('wants the same class and more overlap than a third', () => {
    expect(scoreDetections([seen(0, 0.9, 'short')], [box(0)]).truePositives).toBe(0);
    // Moved by half a side, two squares share exactly one third; 0.33 is just below.
    expect(intersectionOverUnion(box(0), box(5))).toBeCloseTo(1 / 3);
    expect(scoreDetections([seen(5, 0.9)], [box(0)]).truePositives).toBe(1);
    expect(scoreDetections([seen(6, 0.9)], [box(0)]).truePositives).toBe(0);
  });

  test('gives a detection the free box that it overlaps best', () => {
    const score = scoreDetections([seen(3, 0.9), seen(0, 0.8)], [box(0), box(4)]);
    expect(score).toEqual({ truePositives: 2, falsePositives: 0, falseNegatives: 0 });
  });

  test('adds up and turns into rates, with nothing found and nothing there as perfect', () => {
    const sum = sumScores([scoreDetections([seen(0, 1)], [box(0), box(50)]), scoreDetections([], [])]);
    expect(ratesOf(sum)).toMatchObject({ precision: 1, recall: 0.5 });
    expect(ratesOf(sum).f).toBeCloseTo(2 / 3);
    expect(ratesOf(scoreDetections([], []))).toMatchObject({ precision: 1, recall: 1 });
  });
});

describe('averagePrecision', () => {
  test('is the area under the curve with precision made monotone', () => {
    // Order: right, wrong, right of two boxes: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1.
    const board = {
      detections: [seen(0, 0.9), seen(100, 0.8), seen(50, 0.7)],
      truth: [box(0), box(50)],
    };
    expect(averagePrecision([board], 'open')).toBeCloseTo(0.5 + 0.5 * (2 / 3));
    expect(averagePrecision([board], 'short')).toBeUndefined();
  });

  test('averages over the labels that occur', () => {
    const board = {
      detections: [seen(0, 0.9)],
      truth: [box(0), box(50, 'short')],
    };
    expect(meanAveragePrecision([board])).toBeCloseTo(0.5);
  });
});
