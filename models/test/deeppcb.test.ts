import { expect, test } from 'vitest';
import { formatEvaluation } from '../src/index.ts';
import { deepPcbPresent, scoreSplit } from './support/score-split.ts';

/** Some of the boards keep the test short; the slow suite scores all of them. */
const BOARDS = 50;

test.skipIf(!deepPcbPresent).each([
  { split: 'families-a', withGolden: true, meanMin: 0.97, fMin: 0.94, flaggedMax: 0.01 },
  { split: 'families-b', withGolden: true, meanMin: 0.97, fMin: 0.94, flaggedMax: 0.02 },
  { split: 'families-a', withGolden: false, meanMin: 0.91, fMin: 0.84, flaggedMax: 0.25 },
])(
  'on some boards of $split, which its network never saw (golden images: $withGolden), the figures hold',
  { timeout: 120_000 },
  async ({ split, withGolden, meanMin, fMin, flaggedMax }) => {
    const evaluation = await scoreSplit(split, withGolden, BOARDS);
    console.log(`DeepPCB, ${split}: ${formatEvaluation(evaluation)}`);
    expect(evaluation.meanAveragePrecision).toBeGreaterThanOrEqual(meanMin);
    expect(evaluation.f).toBeGreaterThanOrEqual(fMin);
    expect(evaluation.cleanFlagged).toBeLessThanOrEqual(flaggedMax);
  },
);
