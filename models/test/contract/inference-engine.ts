import { type Detection, type DetectorInput, IMAGE_PIXELS } from '@chip-quality/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeJpeg, generateBoard } from '../../src/boards/index.ts';
import {
  createOnnxEngine,
  decodeImage,
  type InferenceEngine,
  InferenceError,
  type KnownBoard,
  truthOf,
} from '../../src/index.ts';
import { MODEL_DIRECTORY } from '../support/model-directory.ts';

/** What the engine under test takes: decoded pixels, or image files that its server decodes. */
type InputForm = 'pixels' | 'files';

/** A served graph computes in another order than ours may: the limit for the difference. */
const TOLERANCE = 1e-4;
const BOARDS = 32;
const BATCH_SIZE = 8;
/** Rows below it may change places where their confidences are equal. */
const LOW_CONFIDENCE = 0.05;

/** The classifier is asked about detections from this confidence on. */
const ASKED_FROM = 0.1;

interface GeneratedInput extends KnownBoard {
  readonly files: DetectorInput;
}

/** A board of the demonstration line with its golden image, as files and decoded. */
export async function generatedInput(seed: number, defective: boolean): Promise<GeneratedInput> {
  const made = generateBoard({ seed, partSeed: 9000 + (seed % 12), defective });
  const files = { board: await encodeJpeg(made.image), golden: await encodeJpeg(made.golden) };
  return {
    board: await decodeImage(files.board),
    golden: await decodeImage(files.golden),
    files,
    truth: truthOf(made.defects),
  };
}

/** The same detections with the same second opinions, in order, within the tolerance. */
export function expectSame(found: readonly Detection[], wanted: readonly Detection[]): void {
  expect(found.map(({ label }) => label)).toEqual(wanted.map(({ label }) => label));
  for (const [i, detection] of found.entries()) {
    for (const key of ['x1', 'y1', 'x2', 'y2', 'confidence'] as const) {
      expect(Math.abs(detection[key] - (wanted[i]?.[key] ?? Number.NaN)), key).toBeLessThan(TOLERANCE);
    }
    // An engine that computes a little less may not ask about it.
    if (Math.abs(detection.confidence - ASKED_FROM) < TOLERANCE) continue;
    const [mine, theirs] = [detection.secondOpinion, wanted[i]?.secondOpinion];
    expect({ ...mine, probability: 0 }).toEqual({ ...theirs, probability: 0 });
    expect(Math.abs((mine?.probability ?? 0) - (theirs?.probability ?? 0)), 'probability').toBeLessThan(TOLERANCE);
  }
}

/**
 * What every engine must do, wherever the model runs; all engines are given the committed detector. `open` makes an
 * engine of its own for each call; the suite closes it.
 */
export function describeInferenceEngine(name: string, form: InputForm, open: () => Promise<InferenceEngine>): void {
  describe(`the contract of inference engines: ${name}`, () => {
    let engine: InferenceEngine;
    let reference: InferenceEngine;
    const boards: GeneratedInput[] = [];
    const take = (input: GeneratedInput): DetectorInput => (form === 'files' ? input.files : input);
    const taken = (...seeds: number[]) => seeds.map((seed) => take(boards[seed] as GeneratedInput));

    beforeAll(async () => {
      engine = await open();
      reference = await createOnnxEngine({ modelDirectory: MODEL_DIRECTORY });
      for (let seed = 0; seed < BOARDS; seed += 1) boards.push(await generatedInput(seed, seed % 2 === 0));
    });
    afterAll(async () => {
      await engine?.close();
      await reference?.close();
    });

    test('says which model it is and that it is ready', async () => {
      expect(engine.modelName).toBe('pcb_defect_detector');
      expect(engine.modelVersion).toBe(reference.modelVersion);
      expect(engine.verdictThreshold).toBe(reference.verdictThreshold);
      expect(engine.maxBatchSize).toBe(32);
      expect(await engine.ready()).toBe(true);
    });

    test('finds the defects of generated boards and leaves clean ones alone', async () => {
      let right = 0;
      for (let first = 0; first < BOARDS; first += BATCH_SIZE) {
        const some = boards.slice(first, first + BATCH_SIZE);
        const found = await engine.infer(some.map(take));
        right += some.filter(({ truth }, i) => truth.length > 0 === (found[i] ?? []).length > 0).length;
      }
      expect(right / BOARDS).toBeGreaterThanOrEqual(0.95);
    });

    test('answers as the in-process engine, whatever the size of the batch', async () => {
      const options = { confidenceThreshold: LOW_CONFIDENCE, allCandidates: true };
      for (const size of [1, 3, 8, 16]) {
        const batch = boards.slice(0, size);
        const found = await engine.infer(batch.map(take), options);
        const wanted = await reference.infer(batch, options);
        expect(found).toHaveLength(size);
        for (const [i, detections] of found.entries()) expectSame(detections, wanted[i] ?? []);
      }
    });

    test('answers a batch of eight as eight batches of one, parts without a golden image among them', async () => {
      const batch = taken(0, 1, 2, 3, 4, 5, 6, 7);
      batch[3] = { board: (batch[3] as DetectorInput).board, golden: undefined };
      const options = { confidenceThreshold: LOW_CONFIDENCE };
      const together = await engine.infer(batch, options);
      for (const [i, input] of batch.entries()) {
        const [alone = []] = await engine.infer([input], options);
        expectSame(together[i] ?? [], alone);
      }
    });

    test('gives what it reports a second opinion, which mostly is the first, and says where it is not', async () => {
      const found = (await engine.infer(boards.slice(0, 16).map(take))).flat();
      expect(found.length).toBeGreaterThanOrEqual(8);
      for (const { label, secondOpinion } of found) {
        expect(secondOpinion?.disagrees).toBe(secondOpinion?.label !== label);
        expect(secondOpinion?.defectType === null).toBe(secondOpinion?.label === 'background');
        expect(secondOpinion?.probability).toBeGreaterThan(1 / 7);
      }
      const agreed = found.filter(({ secondOpinion }) => secondOpinion?.disagrees === false);
      expect(agreed.length / found.length).toBeGreaterThan(0.8);
    });

    test('asks nobody about the least sure candidates', async () => {
      const [found = []] = await engine.infer(taken(2), { confidenceThreshold: 0.001, allCandidates: true });
      expect(found.some(({ confidence }) => confidence < ASKED_FROM)).toBe(true);
      for (const { confidence, secondOpinion } of found)
        expect(secondOpinion !== undefined).toBe(confidence >= ASKED_FROM);
    });

    test('sorts by confidence and keeps to the threshold it is given', async () => {
      const [found = []] = await engine.infer(taken(2), { confidenceThreshold: 0.01, allCandidates: true });
      expect(found.length).toBeGreaterThan(1);
      const confidences = found.map(({ confidence }) => confidence);
      expect(confidences).toEqual([...confidences].sort((a, b) => b - a));
      expect(await engine.infer(taken(2), { confidenceThreshold: 0.99999 })).toEqual([[]]);
    });

    test('leaves the caller’s arrays as they were', async () => {
      const [input] = taken(4) as [DetectorInput];
      const copy = { board: input.board.slice(), golden: input.golden?.slice() };
      await engine.infer([input]);
      expect(Buffer.compare(input.board, copy.board)).toBe(0);
      expect(Buffer.compare(input.golden ?? new Uint8Array(), copy.golden ?? new Uint8Array())).toBe(0);
    });

    test('answers many calls at once, each with its own boards', async () => {
      const answers = await Promise.all([0, 1, 2, 3, 4, 5].map((seed) => engine.infer(taken(seed))));
      for (const [i, [found = []]] of answers.entries()) expect(found.length > 0, `board ${i}`).toBe(i % 2 === 0);
    });

    test('refuses empty images, images of a wrong length, and batches over the model’s limit', async () => {
      const wrong = { name: 'InferenceError', reason: 'bad-input', retriable: false };
      for (const length of form === 'pixels' ? [0, 10, IMAGE_PIXELS + 1] : [0, 10_000_000]) {
        const board = new Uint8Array(length);
        await expect(engine.infer([{ board, golden: undefined }])).rejects.toMatchObject(wrong);
      }
      await expect(engine.infer(Array(33).fill(taken(0)[0]))).rejects.toMatchObject(wrong);
      expect(await engine.infer([])).toEqual([]);
    });

    test('ends the wait when the signal fires, and serves the next call', async () => {
      const controller = new AbortController();
      const waiting = engine.infer(taken(0, 1, 2, 3), { signal: controller.signal });
      controller.abort(new Error('shutting down'));
      await expect(waiting).rejects.toThrow('shutting down');
      await expect(engine.infer(taken(1), { signal: controller.signal })).rejects.toThrow('shutting down');
      expect(await engine.infer(taken(1))).toHaveLength(1);
    });

    test('fails the waiting calls when it is closed, and later ones', async () => {
      const other = await open();
      // Handled before close, or the rejection would count as unhandled.
      const outcome = other.infer(taken(1)).catch((error: unknown) => error);
      await other.close();
      expect(await outcome).toBeInstanceOf(InferenceError);
      expect(await other.ready()).toBe(false);
      await expect(other.infer(taken(1))).rejects.toMatchObject({ reason: 'unavailable' });
      await other.close();
    });
  });
}
