import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { networkOfSplit, splitIds } from '../../src/evaluation/training-splits.ts';
import {
  createOnnxEngine,
  type Evaluation,
  evaluateBoards,
  loadBoardFolder,
  readKnownBoards,
} from '../../src/index.ts';

const directory =
  process.env['DEEPPCB_DIR'] ?? fileURLToPath(new URL('../../../../shared/data/deeppcb', import.meta.url));

/** Whether the real boards are here; says so where they are not. */
export const deepPcbPresent = existsSync(directory);
if (!deepPcbPresent) {
  console.warn(`SKIPPED: no DeepPCB boards in ${directory}; set DEEPPCB_DIR to score the detector`);
}

/** Scores a split's network on its held-out boards, on `boardsMax` of them spread over the list. */
export async function scoreSplit(
  split: string,
  withGolden: boolean,
  boardsMax = Number.POSITIVE_INFINITY,
): Promise<Evaluation> {
  const ids = await splitIds(split);
  const boards = (await loadBoardFolder(directory)).filter(({ id }) => ids.has(id));
  if (boards.length !== ids.size) throw new Error(`${directory} lacks ${ids.size - boards.length} boards of ${split}`);
  const every = Math.max(1, Math.floor(boards.length / boardsMax));
  const engine = await createOnnxEngine({ modelDirectory: networkOfSplit(split, withGolden) ?? '' });
  try {
    return await evaluateBoards(
      engine,
      readKnownBoards(
        boards.filter((_, i) => i % every === 0),
        { withGolden },
      ),
    );
  } finally {
    await engine.close();
  }
}
