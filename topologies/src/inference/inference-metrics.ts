import type { InferencePriority } from '@chip-quality/schemas';
import type { DetectorVersion } from '../ports.ts';

/** Where the inference flow counts; `app/` connects it to the process's registry. */
export interface InferenceMetrics {
  /** A batch went to a version of the detector. `preferred`: its size is one of the preferred ones. */
  batchFormed(version: Pick<DetectorVersion, 'modelName' | 'modelVersion'>, size: number, preferred: boolean): void;
  /** A board waited this long for its batch. */
  queued(priority: InferencePriority, waitMs: number): void;
  /** An inference ended without a result. */
  failed(reason: string): void;
}

export const noInferenceMetrics: InferenceMetrics = { batchFormed() {}, queued() {}, failed() {} };
