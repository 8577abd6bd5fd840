import type { InferenceErrorReason } from '@chip-quality/schemas';
import type { OpinionCounts } from '../judging/opinion-counts.ts';
import type { Circuit } from '../judging/resilient-engine.ts';
import type { ShadowComparison } from './compare-detections.ts';
import type { Deployment } from './deployment.ts';

/**
 * What a version does: it judges (`production`), it judges its share on trial (`candidate`), or it only sees the boards
 * too (`shadow`).
 */
export type ModelRole = 'production' | 'candidate' | 'shadow';

/** A batch that a version has judged. */
export interface JudgedBatch {
  /** Folder of the version in the model repository. */
  readonly version: string;
  /** What that version does at this time. */
  readonly role: ModelRole;
  /** How many boards were in the batch. */
  readonly boards: number;
  /** Boards with a detection at or above the version's own threshold. */
  readonly flagged: number;
  /** Such detections. */
  readonly defects: number;
  /** Sum of their confidences, for the mean. */
  readonly confidenceSum: number;
  /** What the classifier says of them. */
  readonly opinions: OpinionCounts;
  /** From the call to the answer, ms. */
  readonly durationMs: number;
}

/** Told what the life cycle does; the composition root makes metrics and log lines of it. Must not throw. */
export interface ModelObserver {
  /** A version has answered for a batch. */
  judged(batch: JudgedBatch): void;
  /**
   * A version has not: `reason` is `aborted` for what the caller cancelled, `internal` for a defect of the platform's
   * own.
   */
  failed(version: string, role: ModelRole, boards: number, reason: InferenceErrorReason | 'aborted' | 'internal'): void;
  /** Answers of a shadow beside those that counted. */
  compared(production: string, shadow: string, comparison: ShadowComparison): void;
  /** Boards that a shadow did not see since it lagged behind. */
  shadowSkipped(version: string, boards: number): void;
  /** Boards that a candidate on trial failed to judge, and production judged. */
  fellBack(candidate: string, production: string, boards: number): void;
  /** The candidate failed so many batches in a row that production could judge: it judges no more until another deployment comes. */
  suspended(deployment: Deployment, failuresInARow: number): void;
  /** A version's circuit breaker changed its state. */
  circuit(version: string, circuit: Circuit): void;
  /** The versions that judge from now on. */
  deployed(deployment: Deployment): void;
  /** A wanted deployment could not be loaded; what judged before goes on. `willRetry`: after a while it is tried again. */
  deploymentFailed(deployment: Deployment, error: unknown, willRetry: boolean): void;
}
