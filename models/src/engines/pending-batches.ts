import type { Detection, InferenceErrorReason, RefusedImage } from '@chip-quality/schemas';
import { InferenceError } from '../errors.ts';
import type { InferOptions } from '../inference-port.ts';
import type { ModelDescription } from '../versions/model-description.ts';
import { DETECTION_COLUMNS, OPINION_COLUMNS, onePerMark, readDetections } from './read-detections.ts';

/** Batches handed over and not answered; more means that the caller does not bound its work. */
const PENDING_MAX = 64;
/** A spare buffer that is so many times too large is not used: each transfer counts whole for the garbage collector. */
const SPARE_FACTOR_MAX = 2;

/**
 * What an engine's thread answers about one batch: `rows` is images × rows × 6 and, where the classifier was asked, `opinions`
 * images × rows × 2; or `error` says why there is none.
 */
export interface BatchReply {
  readonly rows?: Float32Array<ArrayBuffer>;
  readonly opinions?: Float32Array<ArrayBuffer>;
  readonly error?: BatchFault;
}

/** Why a batch has no answer. An error itself cannot cross to another thread with all it says. */
export interface BatchFault {
  readonly reason: InferenceErrorReason;
  readonly message: string;
  readonly refusedImage?: RefusedImage | undefined;
}

/** How one batch is handed over, and given up. */
export interface BatchCall {
  readonly images: number;
  /** Hands the batch over under this id; less sure detections than the threshold's will be dropped. */
  readonly send: (id: number, confidenceThreshold: number) => void;
  /** Nobody waits for the batch any more. */
  readonly abandon?: (id: number) => void;
  /** When to give up, ms, and what to say then. */
  readonly deadline?: { readonly afterMs: number; readonly message: string };
}

interface Pending {
  readonly images: number;
  readonly threshold: number;
  readonly allCandidates: boolean;
  readonly resolve: (detections: Detection[][]) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * The batches that an engine's thread has not answered yet, and the buffer they travel in.
 *
 * Owns: the calls not answered, one spare transfer buffer.
 * Called by: the engines that infer in a thread of their own.
 * Invariants: (I1) every call settles exactly once: by reply, abort, deadline or `rejectAll`.
 */
export class PendingBatches {
  readonly #description: ModelDescription;
  readonly #defaultThreshold: number;
  readonly #onIdle: () => void;
  readonly #calls = new Map<number, Pending>();
  #spare: ArrayBuffer | undefined;
  #nextId = 1;

  /** `onIdle` is called whenever a call was settled and none is left. */
  constructor(description: ModelDescription, confidenceThreshold: number | undefined, onIdle: () => void) {
    this.#description = description;
    this.#defaultThreshold = confidenceThreshold ?? description.verdictThreshold;
    this.#onIdle = onIdle;
  }

  /** Throws `InferenceError` (`unavailable`) while no more may be handed over. */
  checkRoom(): void {
    if (this.#calls.size >= PENDING_MAX) {
      throw new InferenceError('unavailable', `${PENDING_MAX} batches are waiting already`);
    }
  }

  /** Hands a batch over and waits for its detections, one list an image. */
  wait(call: BatchCall, { signal, confidenceThreshold, allCandidates = false }: InferOptions): Promise<Detection[][]> {
    const id = this.#nextId++;
    const { images, deadline } = call;
    const threshold = confidenceThreshold ?? this.#defaultThreshold;
    return new Promise((resolve, reject) => {
      const giveUp = (reason: unknown) => {
        call.abandon?.(id);
        this.#settle(id)?.reject(reason);
      };
      const onAbort = () => giveUp(signal?.reason);
      const timer =
        deadline === undefined
          ? undefined
          : setTimeout(() => giveUp(new InferenceError('unavailable', deadline.message)), deadline.afterMs);
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      this.#calls.set(id, {
        images,
        threshold,
        allCandidates,
        resolve: (detections) => {
          done();
          resolve(detections);
        },
        reject: (reason) => {
          done();
          reject(reason);
        },
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      call.send(id, threshold);
    });
  }

  /** True when a call got its detections' rows, whatever they say. */
  answer(id: number, { rows, opinions, error }: BatchReply): boolean {
    const pending = this.#settle(id);
    if (pending === undefined) return false;
    if (rows === undefined) {
      const { reason, message, refusedImage } = error ?? { reason: 'model-failed', message: 'no answer' };
      pending.reject(new InferenceError(reason, message, { refusedImage }));
      return false;
    }
    try {
      pending.resolve(this.#detections(rows, opinions, pending));
    } catch (cause) {
      pending.reject(cause);
    }
    return true;
  }

  rejectAll(error: InferenceError): void {
    for (const id of [...this.#calls.keys()]) this.#settle(id)?.reject(error);
  }

  /** A buffer of at least so many bytes: the one that came back last, where it fits. */
  takeBuffer(bytes: number): ArrayBuffer {
    const spare = this.#spare;
    this.#spare = undefined;
    const isFit = spare !== undefined && spare.byteLength >= bytes && spare.byteLength <= bytes * SPARE_FACTOR_MAX;
    return isFit ? spare : new ArrayBuffer(bytes);
  }

  /** Undefined forgets the one that is kept. */
  keepBuffer(buffer: ArrayBuffer | undefined): void {
    this.#spare = buffer;
  }

  #detections(
    rows: Float32Array,
    opinions: Float32Array | undefined,
    { images, threshold, allCandidates }: Pending,
  ): Detection[][] {
    const length = rows.length / images;
    if (!Number.isInteger(length / DETECTION_COLUMNS)) {
      throw new InferenceError('bad-output', `${rows.length} numbers for ${images} images`);
    }
    const opinionLength = (length / DETECTION_COLUMNS) * OPINION_COLUMNS;
    const detections: Detection[][] = [];
    for (let i = 0; i < images; i += 1) {
      const mine = rows.subarray(i * length, (i + 1) * length);
      const aboutMine = opinions?.subarray(i * opinionLength, (i + 1) * opinionLength);
      const sorted = readDetections(mine, this.#description, threshold, aboutMine);
      detections.push(allCandidates ? sorted : onePerMark(sorted));
    }
    return detections;
  }

  /** Takes a call out of the waiting ones; `undefined` when it has been settled already. */
  #settle(id: number): Pending | undefined {
    const pending = this.#calls.get(id);
    this.#calls.delete(id);
    if (this.#calls.size === 0) this.#onIdle();
    return pending;
  }
}
