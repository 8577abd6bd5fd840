import type { Detection, DetectOptions, DetectorInput, DetectorVersion } from '@chip-quality/schemas';

/** Per-call settings of {@link InferenceEngine.infer}. */
export interface InferOptions extends DetectOptions {
  /**
   * Also report boxes that overlap a surer one of another class. A verdict wants one defect a mark;
   * a precision-recall curve wants every candidate. Default `false`.
   */
  readonly allCandidates?: boolean;
}

/**
 * One loaded version of a model, wherever it runs: in this process or in a Triton server.
 * `infer` answers one list per input, in order, each sorted by falling confidence. It takes any
 * batch from 1 to `maxBatchSize`; the arrays given to it may be kept until the promise settles but
 * are never written to. It rejects with `InferenceError` when the model cannot answer.
 */
export interface InferenceEngine extends Omit<DetectorVersion, 'infer' | 'fallback'> {
  /** Judges a batch of boards. */
  infer(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]>;
  /** Whether `infer` would be served now; never rejects. */
  ready(): Promise<boolean>;
  /** Releases threads and memory; calls still waiting reject with `InferenceError`. Safe to call twice. */
  close(): Promise<void>;
}
