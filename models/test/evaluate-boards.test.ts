import { type DetectorInput, IMAGE_PIXELS } from '@chip-quality/schemas';
import { expect, test } from 'vitest';
import { shiftImage } from '../src/boards/acquisition.ts';
import { evaluateBoards, type InferenceEngine } from '../src/index.ts';

const board = Uint8Array.from({ length: IMAGE_PIXELS }, (_, i) => i % 251);
const golden = Uint8Array.from({ length: IMAGE_PIXELS }, (_, i) => i % 241);
const known = { board, golden, truth: [] };

/** What an evaluation of so many equal boards asks of the engine, in order. */
async function asked(boards: number, options?: Parameters<typeof evaluateBoards>[2]): Promise<DetectorInput[]> {
  const inputs: DetectorInput[] = [];
  const engine: InferenceEngine = {
    modelName: 'recorder',
    modelVersion: '1',
    maxBatchSize: 32,
    verdictThreshold: 0.5,
    infer: async (batch) => {
      inputs.push(...batch);
      return batch.map(() => []);
    },
    ready: async () => true,
    close: async () => undefined,
  };
  await evaluateBoards(engine, Array(boards).fill(known), options);
  return inputs;
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.compare(a, b) === 0;

test('boards are judged with their golden images as they are, clean ones off by 0 to 2 px', async () => {
  const inputs = await asked(3);
  expect(inputs.slice(0, 3).every((input) => isSame(input.golden, golden) && isSame(input.board, board))).toBe(true);
  const shifts = [
    [0, 0],
    [1, 0],
    [0, -1],
  ] as const;
  for (const [i, [dx, dy]] of shifts.entries()) {
    expect(isSame(inputs[3 + i]?.board, shiftImage(golden, dx, dy)), `${dx},${dy}`).toBe(true);
    expect(isSame(inputs[3 + i]?.golden, golden)).toBe(true);
  }
});

test('a shift moves every golden image, and every clean board against its own', async () => {
  const inputs = await asked(2, { shiftPx: [-4, 3] });
  const moved = shiftImage(golden, -4, 3);
  expect(inputs.map((input) => isSame(input.golden, moved))).toEqual([true, true, false, false]);
  expect(inputs.map((input) => isSame(input.board, moved))).toEqual([false, false, true, true]);
});
