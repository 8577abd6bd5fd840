import { inferenceService } from '@chip-quality/proto';
import { IMAGE_PIXELS, type InferenceErrorReason } from '@chip-quality/schemas';
import { expect, test } from 'vitest';
import { askClassifier } from '../src/engines/triton/ask-classifier.ts';
import { batchTensors } from '../src/engines/triton/batch-tensors.ts';
import type { TritonConnection } from '../src/engines/triton/connection.ts';
import { encodeWithContents, encodeWithRegion } from '../src/engines/triton/encode-request.ts';
import { readResponse } from '../src/engines/triton/read-response.ts';
import { fillImage, TENSOR_LENGTH } from '../src/images/board-tensor.ts';
import { InferenceError } from '../src/index.ts';

const { requestDeserialize } = inferenceService().ModelInfer;

function plane(seed: number): Uint8Array {
  return Uint8Array.from({ length: IMAGE_PIXELS }, (_, i) => (i * 7 + seed * 31) % 256);
}

/** Two boards, the second without a golden image, as the engine packs them. */
function packed() {
  const parts = [plane(1), plane(2), plane(3)];
  const bytes = new Uint8Array(Buffer.concat(parts));
  return { parts, bytes, lengths: [IMAGE_PIXELS, IMAGE_PIXELS, IMAGE_PIXELS, 0] };
}

test.each(['', '1', '12', '123', '1234'])(
  'a request written by hand is the one that protobuf reads, whatever the length of its head (id "%s")',
  (id) => {
    const { parts, bytes, lengths } = packed();
    const tensors = batchTensors('fp32', bytes, lengths);
    const message = encodeWithContents({ modelName: 'm', modelVersion: '3', id }, tensors);
    const read = requestDeserialize(message);
    expect(read).toMatchObject({ modelName: 'm', modelVersion: '3', id });
    expect(read.inputs).toMatchObject([{ name: 'input_images', datatype: 'FP32', shape: [2, 3, 640, 640] }]);
    const wanted = new Float32Array(2 * TENSOR_LENGTH);
    fillImage(wanted.subarray(0, TENSOR_LENGTH), parts[0] as Uint8Array, parts[1]);
    fillImage(wanted.subarray(TENSOR_LENGTH), parts[2] as Uint8Array, undefined);
    expect(Buffer.compare(read.rawInputContents?.[0] as Buffer, Buffer.from(wanted.buffer))).toBe(0);
  },
);

test('greyscale bytes and files travel as two tensors of byte strings, each led by its length', () => {
  const board = Uint8Array.of(1, 2, 3);
  const golden = Uint8Array.of(4);
  const tensors = batchTensors('jpeg', Uint8Array.of(...board, ...golden, ...board), [3, 1, 3, 0]);
  const { inputs, rawInputContents } = requestDeserialize(encodeWithContents({ modelName: 'm' }, tensors));
  expect(inputs).toMatchObject([
    { name: 'board', datatype: 'BYTES', shape: [2, 1] },
    { name: 'golden', datatype: 'BYTES', shape: [2, 1] },
  ]);
  expect([...(rawInputContents?.[0] ?? [])]).toEqual([3, 0, 0, 0, 1, 2, 3, 3, 0, 0, 0, 1, 2, 3]);
  expect([...(rawInputContents?.[1] ?? [])]).toEqual([1, 0, 0, 0, 4, 0, 0, 0, 0]);
});

test('memory that is given is used again when it is large enough', () => {
  const tensors = batchTensors('jpeg', Uint8Array.of(1, 2), [1, 1]);
  const memory = new ArrayBuffer(1000);
  expect(encodeWithContents({ modelName: 'm' }, tensors, memory).buffer).toBe(memory);
  expect(encodeWithContents({ modelName: 'm' }, tensors, new ArrayBuffer(8)).buffer).not.toBe(memory);
});

test('tensors in a shared region are told by place and length', () => {
  const tensors = batchTensors('jpeg', Uint8Array.of(1, 2, 3), [2, 1]);
  const { inputs, rawInputContents } = requestDeserialize(encodeWithRegion({ modelName: 'm' }, tensors, 'r'));
  expect(rawInputContents).toEqual([]);
  expect(inputs[1]?.parameters).toMatchObject({
    shared_memory_region: { stringParam: 'r' },
    shared_memory_byte_size: { int64Param: 5 },
    shared_memory_offset: { int64Param: 6 },
  });
});

test('an answer of the right shape without its bytes is no answer', () => {
  const outputs = [{ name: 'detections', datatype: 'FP32', shape: [1, 100, 6] }];
  const answer = { modelName: 'm', modelVersion: '1', id: '1', outputs };
  const bad = { name: 'InferenceError', reason: 'bad-output' };
  const read = (rawOutputContents: Buffer[], other = {}) => readResponse({ ...answer, ...other, rawOutputContents }, 1);
  expect(read([Buffer.alloc(2400)])).toEqual({ rows: new Float32Array(600) });
  expect(() => read([Buffer.alloc(0)])).toThrow(expect.objectContaining(bad));
  expect(() => read([])).toThrow(expect.objectContaining(bad));
  expect(() => read([Buffer.alloc(2400)], { outputs: [] })).toThrow('answered nothing');
});

test('boards keep their detections where the server has no classifier; other faults of it are faults of the call', async () => {
  const rows = Float32Array.of(10, 10, 30, 30, 0.9, 0);
  const images = [{ board: new Uint8Array(IMAGE_PIXELS), golden: undefined }];
  const ask = (reason: InferenceErrorReason) => {
    const connection = { infer: () => Promise.reject(new InferenceError(reason, 'no')) };
    return askClassifier(connection as unknown as TritonConnection, images, rows, 0.5, {});
  };
  expect(await ask('model-not-loaded')).toBeUndefined();
  await expect(ask('unavailable')).rejects.toMatchObject({ reason: 'unavailable', retriable: true });
});

test('second opinions are read where an answer has them, one for each row', () => {
  const tensor = (name: string, shape: number[]) => ({ name, datatype: 'FP32', shape });
  const read = (rows: number, bytes: number) => {
    const outputs = [tensor('detections', [2, 100, 6]), tensor('second_opinions', [2, rows, 2])];
    const rawOutputContents = [Buffer.alloc(4800), Buffer.alloc(bytes)];
    return readResponse({ modelName: 'm', modelVersion: '1', id: '1', outputs, rawOutputContents }, 2);
  };
  expect(read(100, 1600).opinions).toHaveLength(400);
  const bad = { name: 'InferenceError', reason: 'bad-output' };
  expect(() => read(99, 1584)).toThrow(expect.objectContaining(bad));
  expect(() => read(100, 0)).toThrow(expect.objectContaining(bad));
});
