import { useTestStack } from '@chip-quality/dev/testing';
import { type DetectorInput, IMAGE_PIXELS } from '@chip-quality/schemas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { batchTensors } from '../../src/engines/triton/batch-tensors.ts';
import { TritonConnection } from '../../src/engines/triton/connection.ts';
import { encodeWithContents } from '../../src/engines/triton/encode-request.ts';
import { createTritonEngine, decodeImage, type InferenceEngine } from '../../src/index.ts';
import { generatedInput } from '../contract/inference-engine.ts';
import { BAD_IMAGES, GOOD_IMAGES } from '../support/bad-images.ts';
import { MODEL_DIRECTORY } from '../support/model-directory.ts';

const stack = useTestStack(['triton']);
const DEADLINE_MS = 60_000;

let engine: InferenceEngine;
let good: DetectorInput;
beforeAll(async () => {
  engine = await createTritonEngine({
    address: stack.triton.grpc,
    modelDirectory: MODEL_DIRECTORY,
    deadlineMs: DEADLINE_MS,
    transport: 'jpeg',
  });
  good = (await generatedInput(1, true)).files;
});
afterAll(() => engine?.close());

test.each(BAD_IMAGES)('the server refuses $title as our decoder does, $reason, and goes on', async (bad) => {
  const board = await bad.make();
  await expect(decodeImage(board)).rejects.toMatchObject({ reason: bad.reason });
  const answer = engine.infer([good, { board, golden: undefined }]);
  await expect(answer).rejects.toMatchObject({ name: 'InferenceError', reason: 'bad-input', retriable: false });
  // The engine itself looks at lengths before it sends anything.
  if (board.length > 0 && bad.reason !== 'too-large') await expect(answer).rejects.toThrow(`${bad.reason}: board 1`);
  expect(await engine.infer([good])).toHaveLength(1);
});

test('a golden image that is none is told from a board', async () => {
  const golden = Buffer.from('no golden image');
  await expect(engine.infer([{ board: good.board, golden }])).rejects.toThrow('not-an-image: golden image 0');
});

test('the server sees the same pixels as our decoder, whatever the file', async () => {
  const connection = new TritonConnection(stack.triton.grpc);
  for (const [title, make] of GOOD_IMAGES) {
    const file = await make();
    const tensors = batchTensors('jpeg', file, [file.length, 0]);
    const request = encodeWithContents({ modelName: 'preprocess_boards' }, tensors);
    const { rawOutputContents } = await connection.infer(request, { deadlineMs: DEADLINE_MS });
    const [raw = new Uint8Array()] = rawOutputContents;
    const seen = new Float32Array(new Uint8Array(raw).buffer).subarray(0, IMAGE_PIXELS);
    const bytes = Uint8Array.from(seen, (value) => Math.round(value * 255));
    expect(Buffer.compare(bytes, await decodeImage(file)), title).toBe(0);
  }
  connection.close();
});

test('a file of exactly as many bytes as there are pixels is still a file', async () => {
  const padded = new Uint8Array(IMAGE_PIXELS);
  padded.set(good.board);
  expect(await engine.infer([{ ...good, board: padded }])).toEqual(await engine.infer([good]));
});
