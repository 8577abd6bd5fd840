import { describe, expect, test } from 'vitest';
import { type ModelDescription, severityOf } from '../src/index.ts';
import { onePerMark, readDetections } from '../src/read-detections.ts';

const description: ModelDescription = {
  modelVersion: '1',
  verdictThreshold: 0.5,
  sureConfidence: 0.6,
  classes: [
    { label: 'open', defectType: 'open', severity: 'critical' },
    { label: 'spur', defectType: 'misalignment', severity: 'medium', escalateFromPx2: 400 },
  ],
};
const read = (...rows: number[][]) => readDetections(Float32Array.from(rows.flat()), description, 0.5);

describe('readDetections', () => {
  test('maps class ids to the model’s label, the platform’s type and a severity that grows with size', () => {
    const [small, large] = read([0, 0, 10, 10, 0.9, 1], [100, 100, 120, 120, 0.8, 1]);
    expect(small).toMatchObject({ label: 'spur', defectType: 'misalignment', severity: 'medium' });
    expect(large).toMatchObject({ severity: 'high', x1: 100, y2: 120 });
  });

  test('is one step less severe where the model is unsure, whatever the size says, and never less than low', () => {
    const severities = (confidence: number) =>
      read([0, 0, 10, 10, confidence, 1], [100, 100, 120, 120, confidence, 1], [50, 0, 60, 9, confidence, 0]).map(
        ({ severity }) => severity,
      );
    expect(severities(0.7)).toEqual(['medium', 'high', 'critical']);
    expect(severities(0.55)).toEqual(['low', 'medium', 'high']);
    const low = { label: 'pin_hole', defectType: 'void', severity: 'low' } as const;
    expect(severityOf(low, { areaPx2: 1, confidence: 0.1 }, description)).toBe('low');
    expect(severityOf(low, { areaPx2: 1, confidence: 0.1 }, {})).toBe('low');
  });

  test('drops what is below the threshold and sorts the rest', () => {
    const found = read([0, 0, 9, 9, 0.25, 0], [50, 50, 60, 60, 0.75, 0], [90, 90, 99, 99, 0.875, 0]);
    expect(found.map(({ confidence }) => confidence)).toEqual([0.875, 0.75]);
  });

  test.each([
    ['a confidence that is not a number', [0, 0, 9, 9, Number.NaN, 0]],
    ['a box that is not a number', [Number.NaN, 0, 9, 9, 0.9, 0]],
    ['a confidence above one', [0, 0, 9, 9, 1.5, 0]],
    ['an unknown class', [0, 0, 9, 9, 0.9, 2]],
    ['a box turned inside out', [9, 0, 0, 9, 0.9, 0]],
    ['a box outside the image', [0, 0, 900, 9, 0.9, 0]],
    ['an infinite box', [0, 0, Number.POSITIVE_INFINITY, 9, 0.9, 0]],
  ])('refuses %s, even below the threshold', (_, row) => {
    expect(() => read(row)).toThrow(/the model answered/);
  });

  test('refuses rows that are not six numbers wide', () => {
    expect(() => readDetections(new Float32Array(7), description, 0.5)).toThrow(/rows of six/);
  });

  test('keeps the surest of boxes on one mark', () => {
    const found = read([0, 0, 20, 20, 0.9, 0], [1, 1, 21, 21, 0.8, 1], [40, 0, 60, 20, 0.7, 1]);
    expect(onePerMark(found).map(({ confidence }) => Math.round(confidence * 10))).toEqual([9, 7]);
  });
});
