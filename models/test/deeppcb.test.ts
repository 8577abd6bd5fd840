import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createOnnxEngine, evaluateBoards, formatEvaluation, loadBoardFolder, readKnownBoards } from '../src/index.ts';
import { MODEL_DIRECTORY } from './support/model-directory.ts';

const directory = process.env['DEEPPCB_DIR'] ?? fileURLToPath(new URL('../../../shared/data/deeppcb', import.meta.url));
const present = existsSync(directory);
if (!present) {
  console.warn(`SKIPPED: no DeepPCB boards in ${directory}; set DEEPPCB_DIR to score the detector`);
}

/** Every fourth board keeps the test short; `npm run models:evaluate` scores all of them. */
const EVERY = 4;

test.skipIf(!present)(
  'the committed detector passes the gate on DeepPCB families that training did not see',
  { timeout: 120_000 },
  async () => {
    const split = new URL('../training/splits/held-out.txt', import.meta.url);
    const ids = new Set((await readFile(split, 'utf8')).split('\n'));
    const boards = (await loadBoardFolder(directory)).filter(({ id }) => ids.has(id));
    expect(boards.length).toBe(200);
    const engine = await createOnnxEngine({ modelDirectory: MODEL_DIRECTORY });
    try {
      const some = boards.filter((_, i) => i % EVERY === 0);
      const evaluation = await evaluateBoards(engine, readKnownBoards(some));
      console.log(`DeepPCB, unseen families: ${formatEvaluation(evaluation)}`);
      expect(evaluation.meanAveragePrecision).toBeGreaterThanOrEqual(0.95);
      expect(evaluation.f).toBeGreaterThanOrEqual(0.9);
    } finally {
      await engine.close();
    }
  },
);
