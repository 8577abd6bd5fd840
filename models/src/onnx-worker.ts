/**
 * The thread that runs the model: `session.run` blocks for 10 ms an image, which the thread that
 * answers HTTP cannot afford.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { CHANNELS, fillImage } from './board-tensor.ts';
import { IMAGE_PIXELS, IMAGE_SIDE_PX } from './inference-port.ts';
import {
  INPUT_NAME,
  type InferReply,
  type InferRequest,
  OUTPUT_NAME,
  type WorkerSettings,
  type WorkerStarted,
} from './onnx-messages.ts';
import { DETECTION_COLUMNS } from './read-detections.ts';

/**
 * Images in one `session.run`. A CPU gains nothing from batches, while activations of a batch fall
 * out of its cache: large batches are cut into runs of this many.
 */
const IMAGES_PER_RUN = 1;

const port = parentPort;
if (port === null) throw new Error('onnx-worker.ts runs only as a worker thread');
const settings = workerData as WorkerSettings;
const input = new Float32Array(IMAGES_PER_RUN * CHANNELS * IMAGE_PIXELS);

async function run(session: InferenceSession, request: InferRequest): Promise<InferReply> {
  const { id, count, planes, hasGolden } = request;
  const rows: Float32Array[] = [];
  for (let first = 0; first < count; first += IMAGES_PER_RUN) {
    const images = Math.min(IMAGES_PER_RUN, count - first);
    for (let i = 0; i < images; i += 1) {
      const at = (first + i) * 2 * IMAGE_PIXELS;
      fillImage(
        input.subarray(i * CHANNELS * IMAGE_PIXELS, (i + 1) * CHANNELS * IMAGE_PIXELS),
        planes.subarray(at, at + IMAGE_PIXELS),
        hasGolden[first + i] === true ? planes.subarray(at + IMAGE_PIXELS, at + 2 * IMAGE_PIXELS) : undefined,
      );
    }
    const data = input.subarray(0, images * CHANNELS * IMAGE_PIXELS);
    const shape = [images, CHANNELS, IMAGE_SIDE_PX, IMAGE_SIDE_PX];
    const output = (await session.run({ [INPUT_NAME]: new Tensor('float32', data, shape) }))[OUTPUT_NAME];
    if (
      output === undefined ||
      !(output.data instanceof Float32Array) ||
      output.dims.length !== 3 ||
      output.dims[0] !== images ||
      output.dims[2] !== DETECTION_COLUMNS
    ) {
      const shown = output === undefined ? 'nothing' : `${output.type} [${output.dims.join(', ')}]`;
      const message = `the model answered ${shown}, not float32 [${images}, N, ${DETECTION_COLUMNS}]`;
      return { kind: 'reply', id, planes, error: { reason: 'bad-output', message } };
    }
    rows.push(output.data);
  }
  const joined = new Float32Array(rows.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of rows) {
    joined.set(part, at);
    at += part.length;
  }
  return { kind: 'reply', id, planes, rows: joined };
}

async function answer(session: InferenceSession, request: InferRequest): Promise<void> {
  let reply: InferReply;
  try {
    reply = await run(session, request);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const { id, planes } = request;
    reply = { kind: 'reply', id, planes, error: { reason: 'model-failed', message } };
  }
  const transfer = [reply.planes.buffer, ...(reply.rows === undefined ? [] : [reply.rows.buffer])];
  port?.postMessage(reply, transfer);
}

try {
  const session = await InferenceSession.create(settings.modelPath, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Spinning threads would take the cores from Kafka and PostgreSQL between two batches.
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  });
  // One request after the other: they share the input buffer.
  let last: Promise<void> = Promise.resolve();
  port.on('message', (request: InferRequest) => {
    last = last.then(() => answer(session, request));
  });
  port.postMessage({ kind: 'ready' } satisfies WorkerStarted);
} catch (cause) {
  const message = cause instanceof Error ? cause.message : String(cause);
  port.postMessage({ kind: 'failed', message } satisfies WorkerStarted);
}
