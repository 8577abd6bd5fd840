import { readFile } from 'node:fs/promises';
import type { Detection, DetectorInput } from '@chip-quality/schemas';
import { shiftImage } from '../boards/acquisition.ts';
import { onePerMark } from '../engines/read-detections.ts';
import { decodeImage } from '../images/decode-image.ts';
import type { InferenceEngine } from '../inference-port.ts';
import type { FolderBoard } from './board-folder.ts';
import { type ConfusionMatrix, confusionOf } from './confusion-matrix.ts';
import {
  averagePrecisions,
  type DetectionScore,
  type JudgedBoard,
  meanAveragePrecision,
  ratesOf,
  scoreDetections,
  sumScores,
} from './score-detections.ts';
import { type OpinionScores, scoreOpinions } from './score-opinions.ts';

/** Average precision needs the curve's tail: detections down to this confidence. */
const TAIL_CONFIDENCE = 0.01;
const BATCH_SIZE = 8;
/** How far a board lies from its golden image. */
export type ShiftPx = readonly [dx: number, dy: number];
/** Misregistrations, in turn, at which a clean board must not be flagged. */
const CLEAN_SHIFTS_PX: readonly ShiftPx[] = [
  [0, 0],
  [1, 0],
  [0, -1],
  [-1, 1],
  [2, 0],
  [0, 2],
  [-2, -2],
];

/** Figures of a model over a set of boards. */
export interface Evaluation extends DetectionScore {
  /** How many boards were judged. */
  readonly boards: number;
  /** Mean average precision over the labels, 0 to 1, at IoU > 0.33. */
  readonly meanAveragePrecision: number;
  /** Share of the reported defects that are real, at the engine's verdict threshold, 0 to 1. */
  readonly precision: number;
  /** Share of the true defects that were found, at the engine's verdict threshold, 0 to 1. */
  readonly recall: number;
  /** Harmonic mean of precision and recall, 0 to 1. */
  readonly f: number;
  /** Average precision of each label that occurs, 0 to 1. */
  readonly byLabel: ReadonlyMap<string, number>;
  /**
   * Share of clean boards with a detection: golden images off by 0 to 2 px (or `shiftPx`) against themselves, or alone where
   * the boards are judged without golden images; absent where no clean image is known.
   */
  readonly cleanFlagged?: number;
  /** What defects were taken for at the verdict threshold. */
  readonly confusion: ConfusionMatrix;
  /** How far the classifier agrees with the detections at the verdict threshold, and who is right. */
  readonly opinions: OpinionScores;
}

/** A board in memory with what is known about it. */
export interface KnownBoard extends DetectorInput {
  /** What is really wrong with it. */
  readonly truth: JudgedBoard['truth'];
  /** A picture of the same part without defects, which the detector does not get beside `board`. */
  readonly clean?: Uint8Array | undefined;
}

/**
 * Runs the engine over boards with known defects, in batches, and scores it by DeepPCB's rule. The
 * boards are taken one batch at a time, so a folder of any size fits in memory. With `shiftPx` every golden image is
 * moved by so much first.
 */
export async function evaluateBoards(
  engine: InferenceEngine,
  boards: AsyncIterable<KnownBoard> | Iterable<KnownBoard>,
  {
    shiftPx,
  }: {
    /**
     * Moves every golden image by so much first. Default: boards are judged as they are, and clean ones under several
     * small shifts.
     */
    readonly shiftPx?: ShiftPx | undefined;
  } = {},
): Promise<Evaluation> {
  const cleanShiftsPx = shiftPx === undefined ? CLEAN_SHIFTS_PX : [shiftPx];
  const judged: JudgedBoard[] = [];
  let cleanCount = 0;
  let flagged = 0;
  const scores: DetectionScore[] = [];
  const verdicts: { readonly detections: readonly Detection[]; readonly truth: JudgedBoard['truth'] }[] = [];
  let batch: KnownBoard[] = [];
  const flush = async () => {
    const answers = await engine.infer(shiftPx === undefined ? batch : batch.map((each) => moved(each, shiftPx)), {
      confidenceThreshold: TAIL_CONFIDENCE,
      allCandidates: true,
    });
    answers.forEach((detections: Detection[], i) => {
      const truth = batch[i]?.truth ?? [];
      const sure = onePerMark(detections.filter((d) => d.confidence >= engine.verdictThreshold));
      judged.push({ detections, truth });
      verdicts.push({ detections: sure, truth });
      scores.push(scoreDetections(sure, truth));
    });
    const cleanBoards = batch.flatMap(({ golden, clean }) => {
      const image = golden ?? clean;
      if (image === undefined) return [];
      const [dx, dy] = cleanShiftsPx[cleanCount++ % cleanShiftsPx.length] ?? [0, 0];
      return [{ board: shiftImage(image, dx, dy), golden }];
    });
    const alarms = await engine.infer(cleanBoards, { confidenceThreshold: engine.verdictThreshold });
    flagged += alarms.filter((detections) => detections.length > 0).length;
    batch = [];
  };
  for await (const board of boards) {
    batch.push(board);
    if (batch.length === BATCH_SIZE) await flush();
  }
  if (batch.length > 0) await flush();
  const score = sumScores(scores);
  return {
    boards: judged.length,
    meanAveragePrecision: meanAveragePrecision(judged),
    ...score,
    ...ratesOf(score),
    byLabel: averagePrecisions(judged),
    confusion: confusionOf(verdicts),
    opinions: scoreOpinions(verdicts),
    ...(cleanCount === 0 ? {} : { cleanFlagged: flagged / cleanCount }),
  };
}

function moved({ board, golden }: DetectorInput, [dx, dy]: ShiftPx): DetectorInput {
  return { board, golden: golden && shiftImage(golden, dx, dy) };
}

/** Reads and decodes annotated boards of a folder one after the other; those without truth are left out. */
export async function* readKnownBoards(
  boards: readonly FolderBoard[],
  options: {
    /** False: the detector sees the boards alone, and the golden images are the clean ones. */
    readonly withGolden?: boolean;
  } = {},
): AsyncGenerator<KnownBoard> {
  for (const { imagePath, goldenPath, truth } of boards) {
    if (truth === undefined) continue;
    const board = await decodeImage(await readFile(imagePath));
    const golden = goldenPath === undefined ? undefined : await decodeImage(await readFile(goldenPath));
    yield options.withGolden === false ? { board, golden: undefined, clean: golden, truth } : { board, golden, truth };
  }
}

/** The line that `npm run models:evaluate` prints. */
export function formatEvaluation(evaluation: Evaluation): string {
  const show = (value: number) => value.toFixed(4);
  return [
    `boards=${evaluation.boards}`,
    `mAP=${show(evaluation.meanAveragePrecision)}`,
    `F=${show(evaluation.f)}`,
    `precision=${show(evaluation.precision)}`,
    `recall=${show(evaluation.recall)}`,
    ...(evaluation.cleanFlagged === undefined ? [] : [`clean_flagged=${show(evaluation.cleanFlagged)}`]),
  ].join(' ');
}
