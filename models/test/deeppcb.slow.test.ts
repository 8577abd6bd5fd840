import { expect, test } from 'vitest';
import { formatEvaluation } from '../src/index.ts';
import { deepPcbPresent, scoreSplit } from './support/score-split.ts';

/** What the model card promises. One image cannot always tell design from damage, hence no bound on clean boards there. */
test.skipIf(!deepPcbPresent).each([
  { split: 'families-a', withGolden: true, meanMin: 0.985, fMin: 0.96, flaggedMax: 0.01 },
  { split: 'families-b', withGolden: true, meanMin: 0.985, fMin: 0.96, flaggedMax: 0.01 },
  { split: 'random', withGolden: true, meanMin: 0.995, fMin: 0.98, flaggedMax: 0.01 },
  { split: 'families-a', withGolden: false, meanMin: 0.93, fMin: 0.87, flaggedMax: 1 },
])(
  'on all boards that the network of $split never saw (golden images: $withGolden), the promised figures are reached',
  { timeout: 600_000 },
  async ({ split, withGolden, meanMin, fMin, flaggedMax }) => {
    const evaluation = await scoreSplit(split, withGolden);
    console.log(`DeepPCB, ${split}: ${formatEvaluation(evaluation)}`);
    expect(evaluation.meanAveragePrecision).toBeGreaterThanOrEqual(meanMin);
    expect(evaluation.f).toBeGreaterThanOrEqual(fMin);
    expect(evaluation.cleanFlagged).toBeLessThanOrEqual(flaggedMax);
  },
);
