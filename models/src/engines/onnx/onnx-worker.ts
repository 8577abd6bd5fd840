/**
 * The thread that runs the models: `session.run` blocks for 10 ms an image, which the thread that
 * answers HTTP cannot afford. A batch is run image by image: a CPU gains nothing from batches, while
 * activations of a batch fall out of its cache.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { IMAGE_PIXELS, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { InferenceError } from '../../errors.ts';
import { CHANNELS, fillImage, TENSOR_LENGTH } from '../../images/board-tensor.ts';
import { DETECTION_COLUMNS } from '../read-detections.ts';
import { CROP_SIDE_PX, CROPS_NAME, cutCrops, opinionRows, PROBABILITIES_NAME, rowsToAsk } from '../second-opinion.ts';
import {
  INPUT_NAME,
  type InferReply,
  type InferRequest,
  OUTPUT_NAME,
  type WorkerSettings,
  type WorkerStarted,
} from './onnx-messages.ts';

const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  // Spinning threads would take the cores from Kafka and PostgreSQL between two batches.
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
};

interface Models {
  readonly detector: InferenceSession;
  readonly classifier: InferenceSession | undefined;
}

const port = parentPort;
if (port === null) throw new Error('onnx-worker.ts runs only as a worker thread');
const settings = workerData as WorkerSettings;
const input = new Float32Array(TENSOR_LENGTH);

async function run({ detector, classifier }: Models, request: InferRequest): Promise<InferReply> {
  const { id, count, planes, hasGolden, confidenceThreshold } = request;
  const rows: Float32Array[] = [];
  const opinions: Float32Array[] = [];
  for (let image = 0; image < count; image += 1) {
    const at = image * 2 * IMAGE_PIXELS;
    fillImage(
      input,
      planes.subarray(at, at + IMAGE_PIXELS),
      hasGolden[image] === true ? planes.subarray(at + IMAGE_PIXELS, at + 2 * IMAGE_PIXELS) : undefined,
    );
    const found = await detect(detector);
    rows.push(found);
    if (classifier !== undefined) opinions.push(await askAbout(found, classifier, confidenceThreshold));
  }
  const reply = { kind: 'reply', id, planes, rows: joined(rows) } as const;
  return classifier === undefined ? reply : { ...reply, opinions: joined(opinions) };
}

/** The `detections` rows of the image in `input`. */
async function detect(detector: InferenceSession): Promise<Float32Array> {
  const tensor = new Tensor('float32', input, [1, CHANNELS, IMAGE_SIDE_PX, IMAGE_SIDE_PX]);
  const output = (await detector.run({ [INPUT_NAME]: tensor }))[OUTPUT_NAME];
  if (output?.dims.length !== 3 || output.dims[0] !== 1 || output.dims[2] !== DETECTION_COLUMNS) {
    throw badOutput(output, `[1, N, ${DETECTION_COLUMNS}]`);
  }
  return floats(output, `[1, N, ${DETECTION_COLUMNS}]`);
}

/** The `second_opinions` rows of the image in `input`. */
async function askAbout(rows: Float32Array, classifier: InferenceSession, from: number): Promise<Float32Array> {
  const asked = rowsToAsk(rows, from);
  const rowCount = rows.length / DETECTION_COLUMNS;
  if (asked.length === 0) return opinionRows(rowCount, asked, new Float32Array());
  const shape = [asked.length, CHANNELS, CROP_SIDE_PX, CROP_SIDE_PX];
  const tensor = new Tensor('float32', cutCrops(input, rows, asked), shape);
  const output = (await classifier.run({ [CROPS_NAME]: tensor }))[PROBABILITIES_NAME];
  const wanted = `[${asked.length}, classes]`;
  if (output?.dims.length !== 2 || output.dims[0] !== asked.length) throw badOutput(output, wanted);
  return opinionRows(rowCount, asked, floats(output, wanted));
}

function floats(output: Tensor, wanted: string): Float32Array {
  if (!(output.data instanceof Float32Array)) throw badOutput(output, wanted);
  return output.data;
}

function badOutput(output: Tensor | undefined, wanted: string): InferenceError {
  const shown = output === undefined ? 'nothing' : `${output.type} [${output.dims.join(', ')}]`;
  return new InferenceError('bad-output', `the model answered ${shown}, not float32 ${wanted}`);
}

function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function answer(models: Models, request: InferRequest): Promise<void> {
  let reply: InferReply;
  try {
    reply = await run(models, request);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const reason = cause instanceof InferenceError && cause.reason === 'bad-output' ? cause.reason : 'model-failed';
    const { id, planes } = request;
    reply = { kind: 'reply', id, planes, error: { reason, message } };
  }
  const transfer = [reply.planes, reply.rows, reply.opinions].flatMap((each) => each?.buffer ?? []);
  port?.postMessage(reply, transfer);
}

try {
  const { modelPath, classifierPath } = settings;
  const models: Models = {
    detector: await InferenceSession.create(modelPath, SESSION_OPTIONS),
    classifier:
      classifierPath === undefined ? undefined : await InferenceSession.create(classifierPath, SESSION_OPTIONS),
  };
  // One request after the other: they share the input buffer.
  let last: Promise<void> = Promise.resolve();
  port.on('message', (request: InferRequest) => {
    last = last.then(() => answer(models, request));
  });
  port.postMessage({ kind: 'ready' } satisfies WorkerStarted);
} catch (cause) {
  const message = cause instanceof Error ? cause.message : String(cause);
  port.postMessage({ kind: 'failed', message } satisfies WorkerStarted);
}
