import { inferenceService } from '@chip-quality/proto';
import { IMAGE_PIXELS } from '@chip-quality/schemas';
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { fromStreamError } from '../src/engines/triton/triton-errors.ts';
import { createTritonEngine, type TritonEngineOptions } from '../src/index.ts';
import { MODEL_DIRECTORY } from './support/model-directory.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const bytesInput = (name: string) => ({ name, datatype: 'BYTES', shape: [-1, 1] });
/** No defect: a box without size and confidence. */
const noDefect = Buffer.alloc(6 * Float32Array.BYTES_PER_ELEMENT);

interface Served {
  readonly inputs: readonly string[];
  /** The version that answers, whatever was asked. */
  readonly answers: string;
}

interface Sent {
  readonly inputs: readonly { readonly name: string }[];
  readonly rawInputContents: readonly Buffer[];
}

/** A server that does what a real one never does: it answers with another version. `requests` are what it was sent. */
async function serve({ inputs, answers }: Served) {
  const requests: Sent[] = [];
  const server = new Server();
  const unary =
    (answer: (request: Sent) => object): handleUnaryCall<Sent, object> =>
    ({ request }, done) =>
      done(null, answer(request));
  const { ModelMetadata, ModelConfig, ModelInfer } = inferenceService();
  const outputs = [{ name: 'detections', datatype: 'FP32', shape: [-1, -1, 6] }];
  server.addService(
    { ModelMetadata, ModelConfig, ModelInfer },
    {
      ModelMetadata: unary(() => ({ name: 'ensemble', versions: [answers], inputs: inputs.map(bytesInput), outputs })),
      ModelConfig: unary(() => ({ config: { name: 'ensemble', maxBatchSize: 32 } })),
      ModelInfer: unary((request) => {
        requests.push(request);
        return {
          modelName: 'ensemble',
          modelVersion: answers,
          outputs: [{ name: 'detections', datatype: 'FP32', shape: [1, 1, 6] }],
          rawOutputContents: [noDefect],
        };
      }),
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  closers.push(() => server.forceShutdown());
  const open = async (options: Partial<TritonEngineOptions>) => {
    const engine = await createTritonEngine({
      address: `127.0.0.1:${port}`,
      modelDirectory: MODEL_DIRECTORY,
      secondOpinions: false,
      ...options,
    });
    closers.unshift(() => engine.close());
    return engine;
  };
  return { requests, open };
}

const image = new Uint8Array(IMAGE_PIXELS);

test('an answer of another version than the one that was asked for is refused; the newest is whichever it is', async () => {
  const { open } = await serve({ inputs: ['board', 'golden'], answers: '7' });
  const pinned = await open({ modelName: 'ensemble_model.1', version: '1' });
  const answer = pinned.infer([{ board: image, golden: image }]);
  await expect(answer).rejects.toMatchObject({ name: 'InferenceError', reason: 'bad-output' });
  await expect(answer).rejects.toThrow('ensemble answered with version 7, not 1');
  expect(await (await open({ version: '1' })).infer([{ board: image, golden: image }])).toEqual([[]]);
});

test('a model without an input for golden images is sent none', async () => {
  const { open, requests } = await serve({ inputs: ['board'], answers: '1' });
  const engine = await open({ modelName: 'ensemble_model_single.1', version: '1' });
  expect(await engine.infer([{ board: image, golden: image }])).toEqual([[]]);
  expect(requests.map(({ inputs }) => inputs.map(({ name }) => name))).toEqual([['board']]);
  expect(requests[0]?.rawInputContents.map(({ length }) => length)).toEqual([4 + IMAGE_PIXELS]);
});

test.each([
  ['bad image: corrupt: board 0 is damaged: truncated', { image: 'board', reason: 'corrupt' }],
  ['in ensemble x, bad image: wrong-size: golden image 12 has 3 x 3 pixels', { image: 'golden', reason: 'wrong-size' }],
  ['bad image: newly-invented: board 3 is odd', { image: 'board', reason: 'corrupt' }],
])('%s names the refused image', (text, refusedImage) => {
  expect(fromStreamError(text, 'server')).toMatchObject({ reason: 'bad-input', refusedImage });
});

test('a fault that is not about an image names none', () => {
  expect(fromStreamError('unknown model', 'server')).toMatchObject({
    reason: 'model-not-loaded',
    refusedImage: undefined,
  });
});
