import { createHash } from 'node:crypto';

/** A version that is tried beside the one in production. */
export interface CandidateDeployment {
  /** Folder of the version in the model repository. */
  readonly version: string;
  /**
   * `split`: it judges its share of the inspections. `shadow`: it sees them too; its answers are only compared and
   * counted.
   */
  readonly mode: 'shadow' | 'split';
  /** Share of the inspections that it takes part in, above 0 to 1. */
  readonly share: number;
}

/** Which versions of a model judge. Versions are folder names in the model repository. */
export interface Deployment {
  /** Which change of the deployment this is, where changes are counted. */
  readonly revision?: number;
  /** Version that judges whatever the candidate does not. */
  readonly production: string;
  /** Version that is tried beside it; null: none. */
  readonly candidate: CandidateDeployment | null;
}

/** Six bytes are exact in a double, and far finer than any share. */
const HASH_BYTES = 6;

/**
 * Where an inspection lies between 0 and 1 (exclusive): the same id always at the same place, in every process. An inspection
 * belongs to a candidate's share when its place is below the share, so a share that grows keeps whom it had.
 */
export function placeOf(inspectionId: string): number {
  return createHash('sha256').update(inspectionId).digest().readUIntBE(0, HASH_BYTES) / 2 ** (8 * HASH_BYTES);
}
