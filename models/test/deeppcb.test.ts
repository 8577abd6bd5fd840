import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createOnnxEngine, evaluateBoards, formatEvaluation, loadBoardFolder, readKnownBoards } from '../src/index.ts';
import { networkOfSplit, splitIds } from '../src/training-splits.ts';

const directory = process.env['DEEPPCB_DIR'] ?? fileURLToPath(new URL('../../../shared/data/deeppcb', import.meta.url));
const present = existsSync(directory);
if (!present) {
  console.warn(`SKIPPED: no DeepPCB boards in ${directory}; set DEEPPCB_DIR to score the detector`);
}

/** Some of the boards keep the test short; `npm run models:evaluate` scores all of them. */
const BOARDS = 50;

test.skipIf(!present).each([
  { split: 'families-a', held: 200, withGolden: true, meanMin: 0.97, fMin: 0.94, flaggedMax: 0.01 },
  { split: 'families-b', held: 309, withGolden: true, meanMin: 0.97, fMin: 0.94, flaggedMax: 0.02 },
  { split: 'families-a', held: 200, withGolden: false, meanMin: 0.82, fMin: 0.7, flaggedMax: 0.4 },
])(
  'on the families of $split, which its network never saw (golden images: $withGolden), the figures hold',
  { timeout: 120_000 },
  async ({ split, held, withGolden, meanMin, fMin, flaggedMax }) => {
    const ids = await splitIds(split);
    const boards = (await loadBoardFolder(directory)).filter(({ id }) => ids.has(id));
    expect(boards.length).toBe(held);
    const every = Math.floor(boards.length / BOARDS);
    const engine = await createOnnxEngine({ modelDirectory: networkOfSplit(split, withGolden) ?? '' });
    try {
      const some = boards.filter((_, i) => i % every === 0);
      const evaluation = await evaluateBoards(engine, readKnownBoards(some, { withGolden }));
      console.log(`DeepPCB, ${split}: ${formatEvaluation(evaluation)}`);
      expect(evaluation.meanAveragePrecision).toBeGreaterThanOrEqual(meanMin);
      expect(evaluation.f).toBeGreaterThanOrEqual(fMin);
      expect(evaluation.cleanFlagged).toBeLessThanOrEqual(flaggedMax);
    } finally {
      await engine.close();
    }
  },
);
