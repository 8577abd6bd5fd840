import { readFile } from 'node:fs/promises';
import type { FolderBoard } from './board-folder.ts';
import { decodeImage } from './decode-image.ts';
import type { Detection, DetectorInput, InferenceEngine } from './inference-port.ts';
import { onePerMark } from './read-detections.ts';
import {
  type DetectionScore,
  type JudgedBoard,
  meanAveragePrecision,
  ratesOf,
  scoreDetections,
  sumScores,
} from './score-detections.ts';

/** Average precision needs the curve's tail: detections down to this confidence. */
const TAIL_CONFIDENCE = 0.01;
const BATCH_SIZE = 8;

/** Figures of a model over a set of boards. */
export interface Evaluation extends DetectionScore {
  readonly boards: number;
  /** Mean average precision over the labels, 0 to 1, at IoU > 0.33. */
  readonly meanAveragePrecision: number;
  /** At the engine's verdict threshold, 0 to 1. */
  readonly precision: number;
  readonly recall: number;
  readonly f: number;
}

/** A board in memory with what is known about it. */
export interface KnownBoard extends DetectorInput {
  readonly truth: JudgedBoard['truth'];
}

/**
 * Runs the engine over boards with known defects, in batches, and scores it by DeepPCB's rule. The
 * boards are taken one batch at a time, so a folder of any size fits in memory.
 */
export async function evaluateBoards(
  engine: InferenceEngine,
  boards: AsyncIterable<KnownBoard> | Iterable<KnownBoard>,
): Promise<Evaluation> {
  const judged: JudgedBoard[] = [];
  const scores: DetectionScore[] = [];
  let batch: KnownBoard[] = [];
  const flush = async () => {
    const answers = await engine.infer(batch, {
      confidenceThreshold: TAIL_CONFIDENCE,
      allCandidates: true,
    });
    answers.forEach((detections: Detection[], i) => {
      const truth = batch[i]?.truth ?? [];
      const sure = onePerMark(detections.filter((d) => d.confidence >= engine.verdictThreshold));
      judged.push({ detections, truth });
      scores.push(scoreDetections(sure, truth));
    });
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
  };
}

/** Reads and decodes annotated boards of a folder one after the other; those without truth are left out. */
export async function* readKnownBoards(
  boards: readonly FolderBoard[],
  options: { readonly withGolden?: boolean } = {},
): AsyncGenerator<KnownBoard> {
  for (const { imagePath, goldenPath, truth } of boards) {
    if (truth === undefined) continue;
    const board = await decodeImage(await readFile(imagePath));
    const useGolden = goldenPath !== undefined && options.withGolden !== false;
    const golden = useGolden ? await decodeImage(await readFile(goldenPath)) : undefined;
    yield { board, golden, truth };
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
  ].join(' ');
}
