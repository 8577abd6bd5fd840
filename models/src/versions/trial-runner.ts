import type { Detection, DetectorInput, DetectorVersion } from '@chip-quality/schemas';
import type { InferOptions } from '../inference-port.ts';
import { NotAskedError } from '../judging/resilient-engine.ts';
import type { ModelObserver } from './model-observer.ts';
import type { VersionSlot } from './version-slot.ts';

/** Batches in a row that the candidate failed and production judged: fewer may be one bad moment, each more costs boards time. */
const FAILURES_IN_A_ROW_MAX = 5;

/**
 * Lets a candidate judge its share, and production where the candidate fails: no board fails for a trial. A candidate that goes on
 * failing is asked no more, until another deployment comes.
 *
 * Owns: the count of failures in a row. Called by: the life cycle and its routes.
 * Invariants: I1 only what the candidate itself failed and production did not counts, so that neither a bad board nor a server that
 * was away ends a trial; I2 `onSuspended` is called at most once.
 */
export class TrialRunner {
  /** The candidate, with production as its fallback. */
  readonly route: DetectorVersion;
  readonly #production: VersionSlot;
  readonly #candidate: VersionSlot;
  readonly #observer: ModelObserver;
  readonly #onSuspended: (failuresInARow: number) => void;
  #failuresInARow = 0;
  /** Boards that lead a batch which failed without the candidate being asked, until production has judged it. */
  readonly #notAsked = new WeakSet<DetectorInput>();

  constructor(
    modelName: string,
    production: VersionSlot,
    candidate: VersionSlot,
    observer: ModelObserver,
    onSuspended: (failuresInARow: number) => void,
  ) {
    this.#production = production;
    this.#candidate = candidate;
    this.#observer = observer;
    this.#onSuspended = onSuspended;
    this.route = {
      ...candidate.route(modelName, (batch, options) => this.#try(batch, options)),
      fallback: production.route(modelName, (batch, options) => this.#fallBack(batch, options)),
    };
  }

  get isSuspended(): boolean {
    return this.#failuresInARow >= FAILURES_IN_A_ROW_MAX;
  }

  async #try(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]> {
    try {
      const found = await this.#candidate.infer('candidate', batch, options);
      if (!this.isSuspended) this.#failuresInARow = 0;
      return found;
    } catch (error) {
      const [leader] = batch;
      if (leader !== undefined && error instanceof NotAskedError) this.#notAsked.add(leader);
      throw error;
    }
  }

  /** Called after the candidate has failed with the same boards. */
  async #fallBack(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]> {
    const [leader] = batch;
    const wasAsked = leader === undefined || !this.#notAsked.delete(leader);
    const found = await this.#production.infer('production', batch, options);
    this.#observer.fellBack(this.#candidate.version, this.#production.version, batch.length);
    if (!wasAsked) return found;
    this.#failuresInARow += 1;
    if (this.#failuresInARow === FAILURES_IN_A_ROW_MAX) this.#onSuspended(this.#failuresInARow);
    return found;
  }
}
