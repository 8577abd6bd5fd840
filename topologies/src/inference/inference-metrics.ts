import type { DetectorVersion, InferencePriority } from '@chip-quality/schemas';
import type { ExpectedVerdict } from './expected-verdict.ts';

/** Which version of which model it was. */
type VersionName = Pick<DetectorVersion, 'modelName' | 'modelVersion'>;

/** Where the inference flow counts; `app/` connects it to the process's registry. */
export interface InferenceMetrics {
  /** A batch went to a version of the detector. `preferred`: its size is one of the preferred ones. */
  batchFormed(version: VersionName, size: number, preferred: boolean): void;
  /** A board was judged whose verdict a station knew. */
  knownJudged(version: VersionName, expected: ExpectedVerdict, verdict: ExpectedVerdict): void;
  /** A board waited this long for its batch. */
  queued(priority: InferencePriority, waitMs: number): void;
  /** An inference ended without a result. */
  failed(reason: string): void;
}

/** Counts nothing. */
export const noInferenceMetrics: InferenceMetrics = { batchFormed() {}, knownJudged() {}, queued() {}, failed() {} };
