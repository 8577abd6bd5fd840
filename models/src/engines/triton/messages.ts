import type { InferenceErrorReason } from '@chip-quality/schemas';
import type { BatchFault } from '../pending-batches.ts';

/**
 * How boards travel to Triton: `fp32` as the detector's own tensor (4.9 MB a board, made here) to the detector;
 * `uint8` as greyscale bytes (0.8 MB with the golden image) and `jpeg` as image files to an ensemble, which makes
 * the tensor on the server.
 */
export const TRITON_TRANSPORTS = ['uint8', 'jpeg', 'fp32'] as const;

/** One of {@link TRITON_TRANSPORTS}. */
export type TritonTransport = (typeof TRITON_TRANSPORTS)[number];

/** `workerData` of the sending thread. */
export interface SenderSettings {
  readonly address: string;
  readonly transport: TritonTransport;
  readonly modelName: string;
  /** Empty: the version that the model's policy serves. */
  readonly modelVersion: string;
  /** Whether the model has an input for golden images. */
  readonly takesGolden: boolean;
  readonly streaming: boolean;
  readonly sharedMemory: boolean;
  readonly deadlineMs: number;
  /** Whether answers carry second opinions. */
  readonly secondOpinions: boolean;
}

/**
 * One batch for the sending thread: `packed` holds board and golden of every image one after the other, `lengths`
 * two numbers an image (0: no golden). It travels by transfer and comes back for reuse.
 */
export interface SendRequest {
  readonly kind: 'infer';
  readonly id: number;
  readonly packed: Uint8Array<ArrayBuffer>;
  readonly lengths: readonly number[];
  /** Detections from this confidence on get a second opinion. */
  readonly confidenceThreshold: number;
}

/** What the engine says to its sending thread. */
export type ToSender = SendRequest | { readonly kind: 'cancel'; readonly id: number } | { readonly kind: 'close' };

/** The thread's answer: `rows` is images × rows × 6, `opinions` images × rows × 2, or `error` says why there is none. */
export interface SendReply {
  readonly kind: 'reply';
  readonly id: number;
  readonly packed: Uint8Array<ArrayBuffer>;
  readonly rows?: Float32Array<ArrayBuffer>;
  readonly opinions?: Float32Array<ArrayBuffer>;
  readonly error?: BatchFault;
}

/** What the sending thread says. `closed` comes last. */
export type FromSender =
  | SendReply
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly reason: InferenceErrorReason; readonly message: string }
  | { readonly kind: 'closed' };
