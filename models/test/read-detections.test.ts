import { describe, expect, test } from 'vitest';
import { onePerMark, readDetections } from '../src/engines/read-detections.ts';
import { type ModelDescription, severityOf } from '../src/index.ts';

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

  describe('with second opinions', () => {
    const rows = Float32Array.from([0, 0, 9, 9, 0.75, 0, 50, 50, 60, 60, 0.875, 1, 90, 90, 99, 99, 0.625, 1]);
    const readWith = (...opinions: number[]) =>
      readDetections(rows, description, 0.5, Float32Array.from(opinions)).map(({ secondOpinion }) => secondOpinion);

    test('each detection gets its own, by the detector’s labels; the class after the last is background', () => {
      expect(readWith(1, 0.5, 1, 0.75, 2, 0.25)).toEqual([
        { label: 'spur', defectType: 'misalignment', probability: 0.75, disagrees: false },
        { label: 'spur', defectType: 'misalignment', probability: 0.5, disagrees: true },
        { label: 'background', defectType: null, probability: 0.25, disagrees: true },
      ]);
    });

    test('nothing the detector said depends on them', () => {
      const bare = readDetections(rows, description, 0.5);
      const found = readDetections(rows, description, 0.5, Float32Array.from([1, 0.5, 2, 1, 2, 1]));
      expect(found.map(({ secondOpinion: _, ...rest }) => rest)).toEqual(bare);
    });

    test('a row that was not asked about has none', () => {
      expect(readWith(-1, 0, 1, 0.75, -1, 0).map((opinion) => opinion !== undefined)).toEqual([true, false, false]);
    });

    test.each([
      ['an unknown class', [3, 0.5]],
      ['half a class', [0.5, 0.5]],
      ['a probability above one', [0, 1.5]],
      ['a probability that is not a number', [0, Number.NaN]],
      ['an answer to nobody’s question', [-1, 0.5]],
    ])('refuses %s', (_, opinion) => {
      expect(() => readWith(...opinion, 1, 0.75, 1, 0.5)).toThrow(/the classifier answered/);
    });

    test('refuses fewer or more than one a row', () => {
      expect(() => readWith(0, 0.5)).toThrow(/3 rows/);
    });
  });

  test('keeps the surest of boxes on one mark', () => {
    const found = read([0, 0, 20, 20, 0.9, 0], [1, 1, 21, 21, 0.8, 1], [40, 0, 60, 20, 0.7, 1]);
    expect(onePerMark(found).map(({ confidence }) => Math.round(confidence * 10))).toEqual([9, 7]);
  });
});
