import { basename } from 'node:path';
import type { Detection, DetectorInput } from '@chip-quality/schemas';
import { InferenceError } from '../../errors.ts';
import type { InferenceEngine, InferOptions } from '../../inference-port.ts';
import { type ModelDescription, readModelDescription } from '../../versions/model-description.ts';
import { PendingBatches } from '../pending-batches.ts';
import { checkMetadata } from './check-metadata.ts';
import { CALL_DEADLINE_MS } from './connection.ts';
import type { SenderSettings, SendReply, TritonTransport } from './messages.ts';
import { checkBatch, packBatch } from './pack-batch.ts';
import { SenderThread } from './sender-thread-handle.ts';
import { SharedRegions } from './shared-regions.ts';
import { TritonAdmin } from './triton-admin.ts';

/** Threads replaced without an answer in between: one that always crashes must not do so for ever. */
const RESTARTS_MAX = 3;
const READY_DEADLINE_MS = 1_000;
/** The ensemble that asks the newest detector. */
const NEWEST = 'ensemble_model';

/** Settings of {@link createTritonEngine}. */
export interface TritonEngineOptions {
  /** `host:port` of the server's gRPC service, without a scheme. */
  readonly address: string;
  /** The detector's folder in the model repository, for its `classes.json`. */
  readonly modelDirectory: string;
  /**
   * The detector's version. Default `'1'`. Exactly this version is asked, and an answer of another one is refused;
   * only the ensemble without a `modelName` asks the newest, whichever that is.
   */
  readonly version?: string;
  /**
   * How boards travel. `fp32` to the detector, `uint8` and `jpeg` to the ensemble. With `jpeg`, the images given to
   * `infer` are files (JPEG, PNG, WebP, TIFF) and not pixels. Default `uint8`.
   */
  readonly transport?: TritonTransport;
  /**
   * The served model's name, where it is not the folder's (`fp32`) or `ensemble_model`. An ensemble's own version must
   * then be the detector's, as `TritonModelSource` loads them.
   */
  readonly modelName?: string;
  /** Sends over one stream instead of a call each. Default `false`. */
  readonly streaming?: boolean;
  /** Hands the images over in shared memory; the server must run on this machine, in the same `/dev/shm`. Default `false`. */
  readonly sharedMemory?: boolean;
  /**
   * Answers carry the classifier's second opinions, where the server has it. Default `true`. With `fp32`, `false` saves a
   * call a batch; an ensemble asks the classifier either way.
   */
  readonly secondOpinions?: boolean;
  /** Overrides the confidence from which detections are reported; 0 to 1. */
  readonly confidenceThreshold?: number;
  /** Milliseconds until a call rejects as `unavailable`. Default 5,000. */
  readonly deadlineMs?: number;
}

/**
 * Connects to a model that a Triton server serves. Resolves when the server's metadata has been compared with what
 * the transport sends and expects; rejects with `InferenceError`: `unavailable` when the server does not answer,
 * `model-not-loaded` when it does not serve the model, `bad-output` when the model is a different one.
 */
export async function createTritonEngine(options: TritonEngineOptions): Promise<InferenceEngine> {
  const { address, modelDirectory, version = '1', transport = 'uint8', sharedMemory = false } = options;
  const description = await readModelDescription(modelDirectory, version);
  const modelName = options.modelName ?? (transport === 'fp32' ? basename(modelDirectory) : NEWEST);
  const modelVersion = modelName === NEWEST ? '' : version;
  if (sharedMemory && !SharedRegions.isPossible) {
    throw new InferenceError('unavailable', 'this machine has no shared memory in /dev/shm');
  }
  const admin = new TritonAdmin(address);
  try {
    const [metadata, { maxBatchSize }] = await Promise.all([
      admin.modelMetadata(modelName, modelVersion),
      admin.modelConfig(modelName, modelVersion),
    ]);
    const { takesGolden } = checkMetadata(metadata, transport);
    const settings: SenderSettings = {
      address,
      transport,
      modelName,
      modelVersion,
      takesGolden,
      streaming: options.streaming ?? false,
      sharedMemory,
      deadlineMs: options.deadlineMs ?? CALL_DEADLINE_MS,
      secondOpinions: options.secondOpinions ?? true,
    };
    const engine = new TritonEngine(admin, settings, description, basename(modelDirectory), maxBatchSize, options);
    await engine.start();
    return engine;
  } catch (error) {
    admin.close();
    throw error;
  }
}

/**
 * The engine that asks a Triton server.
 *
 * Owns: the sending thread, the batches that it has not answered, the admin connection.
 * Called by: the inference topology through the port.
 * Invariants: (I1) every call settles exactly once: by reply, abort, deadline, loss of the thread or close; (I2) the
 * caller's arrays are copied, never transferred; (I3) an idle engine does not keep the process alive.
 */
class TritonEngine implements InferenceEngine {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly maxBatchSize: number;
  readonly verdictThreshold: number;
  readonly #admin: TritonAdmin;
  readonly #settings: SenderSettings;
  readonly #pending: PendingBatches;
  #thread: SenderThread | undefined;
  #starting: Promise<void> | undefined;
  #restarts = 0;
  #isClosed = false;

  constructor(
    admin: TritonAdmin,
    settings: SenderSettings,
    description: ModelDescription,
    modelName: string,
    maxBatchSize: number,
    options: TritonEngineOptions,
  ) {
    this.#admin = admin;
    this.#settings = settings;
    this.modelName = modelName;
    this.modelVersion = description.modelVersion;
    this.maxBatchSize = maxBatchSize;
    this.verdictThreshold = description.verdictThreshold;
    this.#pending = new PendingBatches(description, options.confidenceThreshold, () => this.#thread?.hold(false));
  }

  /** Starts the sending thread; concurrent calls share one start. */
  start(): Promise<void> {
    this.#starting ??= this.#startThread().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async infer(batch: readonly DetectorInput[], options: InferOptions = {}): Promise<Detection[][]> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (batch.length === 0) return [];
    checkBatch(batch, this.maxBatchSize, this.#settings);
    if (this.#isClosed) throw new InferenceError('unavailable', 'the engine is closed');
    this.#pending.checkRoom();
    if (this.#thread === undefined) await this.#restart();
    const thread = this.#thread;
    if (thread === undefined) throw new InferenceError('unavailable', 'the engine is closed');
    signal?.throwIfAborted();

    const { address, deadlineMs } = this.#settings;
    const send = (id: number, confidenceThreshold: number) => {
      thread.hold(true);
      const images = packBatch(batch, this.#settings, (bytes) => this.#pending.takeBuffer(bytes));
      thread.post({ kind: 'infer', id, ...images, confidenceThreshold }, [images.packed.buffer]);
    };
    const abandon = (id: number) => thread.post({ kind: 'cancel', id });
    const deadline = {
      afterMs: deadlineMs,
      message: `Triton at ${address} gave no answer within ${deadlineMs} ms`,
    };
    return this.#pending.wait({ images: batch.length, send, abandon, deadline }, options);
  }

  async ready(): Promise<boolean> {
    if (this.#isClosed) return false;
    const { modelName, modelVersion } = this.#settings;
    return this.#admin.modelReady(modelName, modelVersion, { deadlineMs: READY_DEADLINE_MS });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const thread = this.#thread;
    this.#thread = undefined;
    this.#pending.rejectAll(new InferenceError('unavailable', 'the engine was closed'));
    this.#pending.keepBuffer(undefined);
    this.#admin.close();
    await thread?.close();
  }

  async #restart(): Promise<void> {
    if (this.#starting === undefined) {
      if (this.#restarts >= RESTARTS_MAX) {
        throw new InferenceError('unavailable', `the sending thread died ${RESTARTS_MAX + 1} times`);
      }
      this.#restarts += 1;
    }
    await this.start();
  }

  async #startThread(): Promise<void> {
    const thread = await SenderThread.start(
      this.#settings,
      (reply) => this.#onReply(reply),
      (error) => {
        this.#thread = undefined;
        this.#pending.rejectAll(error);
      },
    );
    if (this.#isClosed) await thread.close();
    else this.#thread = thread;
  }

  #onReply(reply: SendReply): void {
    this.#pending.keepBuffer(reply.packed.buffer);
    if (this.#pending.answer(reply.id, reply)) this.#restarts = 0;
  }
}
