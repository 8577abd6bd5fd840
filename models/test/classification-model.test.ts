import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { DEFECT_LABELS, generateBoard } from '../src/boards/index.ts';
import { IMAGE_SIDE_PX } from '../src/index.ts';

const directory = fileURLToPath(new URL('../repository/classification_model', import.meta.url));
const WINDOW_PX = 64;
const MARGIN = 1.25;

/** The crop that models/README.md describes, for boxes that need no resizing. */
function crop(board: Uint8Array, golden: Uint8Array, centreX: number, centreY: number): Float32Array {
  const corner = (centre: number) =>
    Math.min(IMAGE_SIDE_PX - WINDOW_PX, Math.max(0, Math.round(centre - WINDOW_PX / 2)));
  const [left, top] = [corner(centreX), corner(centreY)];
  const planes = new Float32Array(3 * WINDOW_PX * WINDOW_PX);
  for (let y = 0; y < WINDOW_PX; y += 1) {
    for (let x = 0; x < WINDOW_PX; x += 1) {
      const from = (top + y) * IMAGE_SIDE_PX + left + x;
      const to = y * WINDOW_PX + x;
      const [b, g] = [(board[from] ?? 0) / 255, (golden[from] ?? 0) / 255];
      planes[to] = b;
      planes[to + WINDOW_PX ** 2] = g;
      planes[to + 2 * WINDOW_PX ** 2] = Math.abs(b - g);
    }
  }
  return planes;
}

test('the second opinion names most marks of generated boards and sees nothing where nothing is', async () => {
  const labels = (await readFile(`${directory}/labels.txt`, 'utf8')).trim().split('\n');
  expect(labels).toEqual([...DEFECT_LABELS, 'background']);
  const session = await InferenceSession.create(`${directory}/1/model.onnx`, { intraOpNumThreads: 1 });
  const opinion = async (planes: Float32Array) => {
    const output = await session.run({ crops: new Tensor('float32', planes, [1, 3, WINDOW_PX, WINDOW_PX]) });
    const answer = output['probabilities'];
    expect(answer?.dims).toEqual([1, labels.length]);
    const probabilities = Array.from((answer?.data ?? []) as Float32Array);
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 4);
    return labels[probabilities.indexOf(Math.max(...probabilities))];
  };
  let marks = 0;
  let right = 0;
  for (let seed = 1; seed <= 40; seed += 1) {
    const { image, golden, defects } = generateBoard({ seed, partSeed: 70_000 + seed, defective: true });
    for (const { x, y, width, height, label } of defects) {
      if (MARGIN * Math.max(width, height) > WINDOW_PX) continue;
      marks += 1;
      if ((await opinion(crop(image, golden, x + width / 2, y + height / 2))) === label) right += 1;
    }
    expect(await opinion(crop(golden, golden, 320, 320))).toBe('background');
  }
  expect(marks).toBeGreaterThan(40);
  expect(right / marks).toBeGreaterThan(0.9);
  await session.release();
});
