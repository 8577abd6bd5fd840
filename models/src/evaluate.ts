/**
 * Scores the committed model on annotated boards, by DeepPCB's rule (IoU > 0.33, same class).
 *
 *   node models/src/evaluate.ts --data DIR [--split held-out|validation|train|FILE] [--no-golden]
 *   node models/src/evaluate.ts --generated 400 [--seed 99]
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadBoardFolder, truthOf } from './board-folder.ts';
import { encodeJpeg, generateBoard } from './boards/index.ts';
import { decodeImage } from './decode-image.ts';
import { evaluateBoards, formatEvaluation, type KnownBoard, readKnownBoards } from './evaluate-boards.ts';
import { createOnnxEngine } from './onnx-engine.ts';

/** As in the demonstration: one board in eight is defective, one part for many boards. */
const DEFECTIVE_EVERY = 8;
const BOARDS_PER_PART = 16;

const { values } = parseArgs({
  options: {
    model: {
      type: 'string',
      default: fileURLToPath(new URL('../repository/pcb_defect_detector', import.meta.url)),
    },
    data: { type: 'string' },
    split: { type: 'string' },
    generated: { type: 'string' },
    seed: { type: 'string', default: '99' },
    'no-golden': { type: 'boolean', default: false },
  },
});

/** Boards as the demonstration line makes them, through JPEG and back. */
async function* generatedBoards(count: number, seed: number): AsyncGenerator<KnownBoard> {
  for (let i = 0; i < count; i += 1) {
    const { image, golden, defects } = generateBoard({
      seed: i,
      partSeed: seed * 1000 + Math.floor(i / BOARDS_PER_PART),
      defective: i % DEFECTIVE_EVERY === 0,
    });
    const board = await decodeImage(await encodeJpeg(image));
    const template = values['no-golden'] ? undefined : await decodeImage(await encodeJpeg(golden));
    yield { board, golden: template, truth: truthOf(defects) };
  }
}

async function folderBoards(directory: string): Promise<AsyncGenerator<KnownBoard>> {
  const all = await loadBoardFolder(directory);
  if (values.split === undefined) return readKnownBoards(all, { withGolden: !values['no-golden'] });
  const lines = (await readFile(splitPath(values.split), 'utf8')).split('\n').map((line) => line.trim());
  const wanted = new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
  const chosen = all.filter(({ id }) => wanted.has(id));
  return readKnownBoards(chosen, { withGolden: !values['no-golden'] });
}

/** A committed list by its name, or any file of ids. */
function splitPath(split: string): string {
  const committed = fileURLToPath(new URL(`../training/splits/${split}.txt`, import.meta.url));
  return existsSync(committed) ? committed : split;
}

const directory = values.data;
if (directory === undefined && values.generated === undefined) {
  throw new Error('give --data DIR, or --generated COUNT');
}
const engine = await createOnnxEngine({ modelDirectory: values.model });
try {
  const boards =
    directory === undefined
      ? generatedBoards(Number(values.generated), Number(values.seed))
      : await folderBoards(directory);
  const evaluation = await evaluateBoards(engine, boards);
  for (const [label, value] of evaluation.byLabel) console.log(`  ${label}: AP=${value.toFixed(4)}`);
  console.log(formatEvaluation(evaluation));
} finally {
  await engine.close();
}
