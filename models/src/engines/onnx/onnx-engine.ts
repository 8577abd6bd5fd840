import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Detection, type DetectorInput, IMAGE_PIXELS } from '@chip-quality/schemas';
import { InferenceError } from '../../errors.ts';
import type { InferenceEngine, InferOptions } from '../../inference-port.ts';
import { type ModelDescription, readModelDescription } from '../../versions/model-description.ts';
import { PendingBatches } from '../pending-batches.ts';
import { CLASSIFIER } from '../second-opinion.ts';
import type { InferReply, InferRequest, WorkerSettings, WorkerStarted } from './onnx-messages.ts';

/** As `max_batch_size` in the model's config.pbtxt. */
const MAX_BATCH_SIZE = 32;
const MODEL_FILE = 'model.onnx';
/** The one that is committed: nobody deploys classifiers, they come with the repository. */
const CLASSIFIER_VERSION = '1';
/** Crashed workers replaced without an answer in between: a model that always crashes must not do so for ever. */
const RESTARTS_MAX = 3;

/** Settings of {@link createOnnxEngine}. */
export interface OnnxEngineOptions {
  /** A model's folder in a Triton model repository, e.g. `…/models/repository/pcb_defect_detector`. */
  readonly modelDirectory: string;
  /** The version's folder. Default `'1'`. */
  readonly version?: string;
  /** Overrides the confidence from which detections are reported; 0 to 1. */
  readonly confidenceThreshold?: number;
  /**
   * Asks `classification_model` about every detection, where the repository has that model. Default `true`.
   */
  readonly secondOpinions?: boolean;
  /** Module of the inference thread, for those who run the model elsewhere (and for tests of its crashes). */
  readonly workerUrl?: URL;
}

/**
 * Loads a model of the repository with ONNX Runtime into a worker thread of this process. Resolves
 * when the model is loaded; rejects with `InferenceError` (`unavailable`) when it cannot be.
 */
export async function createOnnxEngine(options: OnnxEngineOptions): Promise<InferenceEngine> {
  const version = options.version ?? '1';
  const description = await readModelDescription(options.modelDirectory, version);
  const engine = new OnnxEngine(options, version, description);
  await engine.start();
  return engine;
}

/**
 * The in-process engine.
 *
 * Owns: one worker thread and the batches that it has not answered.
 * Called by: the inference topology through the port.
 * Invariants: (I1) every call settles exactly once: by reply, abort, crash or close; (I2) the
 * caller's arrays are copied, never transferred; (I3) an idle engine does not keep the process alive.
 */
class OnnxEngine implements InferenceEngine {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly maxBatchSize = MAX_BATCH_SIZE;
  readonly verdictThreshold: number;
  readonly #settings: WorkerSettings;
  readonly #workerUrl: URL;
  readonly #pending: PendingBatches;
  #worker: Worker | undefined;
  #starting: Promise<void> | undefined;
  #restarts = 0;
  #isClosed = false;

  constructor(options: OnnxEngineOptions, version: string, description: ModelDescription) {
    this.modelName = basename(options.modelDirectory);
    this.modelVersion = description.modelVersion;
    this.verdictThreshold = description.verdictThreshold;
    const classifierPath = join(dirname(options.modelDirectory), CLASSIFIER, CLASSIFIER_VERSION, MODEL_FILE);
    const isAsked = options.secondOpinions !== false && existsSync(classifierPath);
    this.#settings = {
      modelPath: join(options.modelDirectory, version, MODEL_FILE),
      ...(isAsked ? { classifierPath } : {}),
    };
    this.#workerUrl = options.workerUrl ?? new URL('./onnx-worker.ts', import.meta.url);
    this.#pending = new PendingBatches(description, options.confidenceThreshold, () => this.#worker?.unref());
  }

  /** Starts the worker and waits for its model; concurrent calls share one start. */
  start(): Promise<void> {
    this.#starting ??= this.#spawn().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async infer(batch: readonly DetectorInput[], options: InferOptions = {}): Promise<Detection[][]> {
    options.signal?.throwIfAborted();
    if (batch.length === 0) return [];
    checkBatch(batch);
    if (this.#isClosed) throw new InferenceError('unavailable', 'the engine is closed');
    this.#pending.checkRoom();
    if (this.#worker === undefined) await this.#restart();
    const worker = this.#worker;
    if (worker === undefined) throw new InferenceError('unavailable', 'the engine is closed');
    options.signal?.throwIfAborted();

    const send = (id: number, confidenceThreshold: number) => {
      worker.ref();
      const request = this.#requestOf(id, batch, confidenceThreshold);
      worker.postMessage(request, [request.planes.buffer]);
    };
    return this.#pending.wait({ images: batch.length, send }, options);
  }

  async ready(): Promise<boolean> {
    return !this.#isClosed && this.#worker !== undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#pending.rejectAll(new InferenceError('unavailable', 'the engine was closed'));
    this.#pending.keepBuffer(undefined);
    await worker?.terminate();
  }

  async #restart(): Promise<void> {
    if (this.#starting === undefined) {
      if (this.#restarts >= RESTARTS_MAX) {
        throw new InferenceError('unavailable', `the model's thread died ${RESTARTS_MAX + 1} times`);
      }
      this.#restarts += 1;
    }
    await this.start();
  }

  #spawn(): Promise<void> {
    const worker = new Worker(this.#workerUrl, { workerData: this.#settings });
    return new Promise<void>((resolve, reject) => {
      const fail = (message: string, cause?: unknown) => {
        const error = new InferenceError('unavailable', message, { cause });
        reject(error);
        // A late event of a worker that was replaced must not fail its successor's calls.
        if (this.#worker === worker) {
          this.#worker = undefined;
          this.#pending.rejectAll(error);
        }
      };
      worker.on('error', (cause) => fail(`the model's thread failed: ${String(cause)}`, cause));
      worker.on('exit', (code) => fail(`the model's thread ended with code ${code}`));
      worker.on('message', (message: WorkerStarted | InferReply) => {
        if (message.kind === 'reply') this.#onReply(message);
        else if (message.kind === 'failed') {
          fail(`cannot load ${this.#settings.modelPath}: ${message.message}`);
          void worker.terminate();
        } else if (this.#isClosed) {
          fail('the engine was closed');
          void worker.terminate();
        } else {
          this.#worker = worker;
          worker.unref();
          resolve();
        }
      });
    });
  }

  #requestOf(id: number, batch: readonly DetectorInput[], confidenceThreshold: number): InferRequest {
    const bytes = batch.length * 2 * IMAGE_PIXELS;
    const planes = new Uint8Array(this.#pending.takeBuffer(bytes));
    batch.forEach(({ board, golden }, i) => {
      planes.set(board, 2 * i * IMAGE_PIXELS);
      if (golden !== undefined) planes.set(golden, (2 * i + 1) * IMAGE_PIXELS);
    });
    const hasGolden = batch.map(({ golden }) => golden !== undefined);
    return { id, count: batch.length, planes, hasGolden, confidenceThreshold };
  }

  #onReply(reply: InferReply): void {
    this.#pending.keepBuffer(reply.planes.buffer);
    if (this.#pending.answer(reply.id, reply)) this.#restarts = 0;
  }
}

function checkBatch(batch: readonly DetectorInput[]): void {
  if (batch.length > MAX_BATCH_SIZE) {
    throw new InferenceError('bad-input', `${batch.length} images, more than ${MAX_BATCH_SIZE}`);
  }
  for (const { board, golden } of batch) {
    if (board.length !== IMAGE_PIXELS || (golden !== undefined && golden.length !== IMAGE_PIXELS)) {
      throw new InferenceError('bad-input', `an image is not ${IMAGE_PIXELS} bytes long`);
    }
  }
}
