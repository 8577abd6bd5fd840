/**
 * Scores a committed network on annotated boards, by DeepPCB's rule (IoU > 0.33, same class).
 *
 *   node models/src/evaluation/evaluate.ts --data DIR                            every board, by the served network
 *   node models/src/evaluation/evaluate.ts --data DIR --split holdout            the boards held out, split by split
 *   node models/src/evaluation/evaluate.ts --data DIR --split families-a         one split; NAME/validation, NAME/train; or a file of ids
 *   node models/src/evaluation/evaluate.ts --generated 400 [--seed 99]           boards of the demonstration line
 *
 * A committed split is judged by the network that was trained with it, and so never saw its held-out
 * boards. `--no-golden` judges boards alone, by the single-image network; `--model DIR` chooses a network;
 * `--shift=DX,DY` moves every golden image by so many pixels, and every clean board against its own.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { DEFECT_LABELS, encodeJpeg, generateBoard } from '../boards/index.ts';
import { createOnnxEngine } from '../engines/onnx/onnx-engine.ts';
import { decodeImage } from '../images/decode-image.ts';
import { loadBoardFolder, truthOf } from './board-folder.ts';
import { formatConfusion } from './confusion-matrix.ts';
import { evaluateBoards, formatEvaluation, type KnownBoard, readKnownBoards, type ShiftPx } from './evaluate-boards.ts';
import { formatOpinions } from './score-opinions.ts';
import { networkOfSplit, SERVED_NETWORK, SINGLE_NETWORK, SPLITS, splitIds } from './training-splits.ts';

/** As in the demonstration: one board in eight is defective, one part for many boards. */
const DEFECTIVE_EVERY = 8;
const BOARDS_PER_PART = 16;

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    data: { type: 'string' },
    split: { type: 'string' },
    generated: { type: 'string' },
    seed: { type: 'string', default: '99' },
    'no-golden': { type: 'boolean', default: false },
    shift: { type: 'string' },
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
    const template = await decodeImage(await encodeJpeg(golden));
    const truth = truthOf(defects);
    yield values['no-golden']
      ? { board, golden: undefined, clean: template, truth }
      : { board, golden: template, truth };
  }
}

async function folderBoards(directory: string, ids: ReadonlySet<string> | undefined) {
  const all = await loadBoardFolder(directory);
  const chosen = ids === undefined ? all : all.filter(({ id }) => ids.has(id));
  return readKnownBoards(chosen, { withGolden: !values['no-golden'] });
}

async function score(modelDirectory: string, boards: AsyncIterable<KnownBoard>): Promise<void> {
  const engine = await createOnnxEngine({ modelDirectory });
  try {
    const evaluation = await evaluateBoards(engine, boards, { shiftPx: shiftOf(values.shift) });
    for (const [label, value] of evaluation.byLabel) console.log(`  ${label}: AP=${value.toFixed(4)}`);
    console.log(formatConfusion(evaluation.confusion, DEFECT_LABELS));
    for (const line of formatOpinions(evaluation.opinions)) console.log(line);
    console.log(`threshold=${engine.verdictThreshold} ${formatEvaluation(evaluation)}`);
  } finally {
    await engine.close();
  }
}

function shiftOf(text: string | undefined): ShiftPx | undefined {
  if (text === undefined) return undefined;
  const match = /^(-?\d+),(-?\d+)$/.exec(text);
  if (match === null) throw new Error(`--shift=${text} is not two whole numbers, like --shift=-4,3`);
  return [Number(match[1]), Number(match[2])];
}

interface BoardList {
  readonly name: string;
  readonly ids: ReadonlySet<string>;
  readonly model: string;
}

/** What to score: every committed split that has a network, one of them by its name, or a file of ids. */
async function listsOf(split: string): Promise<BoardList[]> {
  if (existsSync(split)) {
    return [
      { name: split, ids: new Set((await readFile(split, 'utf8')).split(/\s+/)), model: values.model ?? standard },
    ];
  }
  const modelOf = (name: string) => values.model ?? networkOfSplit(name, !values['no-golden']);
  const all = split === 'holdout' || split === 'held-out';
  const names = all ? SPLITS.filter((name) => modelOf(name) !== undefined) : [split];
  return Promise.all(
    names.map(async (name) => {
      const [folder = name, subset] = name.split('/');
      const ids = await splitIds(folder, subset);
      const model = modelOf(folder);
      if (model === undefined) {
        throw new Error(`no network for "${folder}" is committed: npm run models:train trains one, --model takes it`);
      }
      return { name, ids, model };
    }),
  );
}

const standard = values['no-golden'] ? SINGLE_NETWORK : SERVED_NETWORK;
if (values.generated !== undefined) {
  await score(values.model ?? standard, generatedBoards(Number(values.generated), Number(values.seed)));
} else if (values.data === undefined) {
  throw new Error('give --data DIR, or --generated COUNT');
} else if (values.split === undefined) {
  await score(values.model ?? standard, await folderBoards(values.data, undefined));
} else {
  for (const { name, ids, model } of await listsOf(values.split)) {
    console.log(`${name}:`);
    await score(model, await folderBoards(values.data, ids));
  }
}
