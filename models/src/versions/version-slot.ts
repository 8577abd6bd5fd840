import type { Detection, DetectorInput, DetectorVersion } from '@chip-quality/schemas';
import { InferenceError } from '../errors.ts';
import type { InferOptions } from '../inference-port.ts';
import { countOpinions } from '../judging/opinion-counts.ts';
import type { ResilientEngine } from '../judging/resilient-engine.ts';
import type { ModelObserver, ModelRole } from './model-observer.ts';

/**
 * A loaded version.
 *
 * Owns: its engine and the count of calls under way. Called by: the life cycle and its routes.
 * Invariants: I1 a call that was begun is served by this engine to its end; I2 the engine is closed when the last call has ended,
 * never before; I3 after `retire` no new call begins.
 */
export class VersionSlot {
  readonly version: string;
  readonly engine: ResilientEngine;
  readonly #observer: ModelObserver;
  #underWay = 0;
  #isRetired = false;
  #idle: (() => void) | undefined;

  constructor(version: string, engine: ResilientEngine, observer: ModelObserver) {
    this.version = version;
    this.engine = engine;
    this.#observer = observer;
  }

  /** This version as callers see it, asked through `infer`. */
  route(modelName: string, infer: DetectorVersion['infer']): DetectorVersion {
    const { maxBatchSize, verdictThreshold } = this.engine;
    return { modelName, modelVersion: this.version, maxBatchSize, verdictThreshold, infer };
  }

  /**
   * As the engine's `infer`, counted and timed under `role`; what is not in production is asked once and not for long. A retired
   * version is `unavailable`: ask for a route again.
   */
  async infer(role: ModelRole, batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]> {
    if (this.#isRetired) throw new InferenceError('unavailable', `version ${this.version} was replaced`);
    this.#underWay += 1;
    const startMs = performance.now();
    try {
      const asked = role === 'production' ? this.engine.infer(batch, options) : this.engine.inferOnce(batch, options);
      const found = await asked;
      this.#observer.judged({
        ...this.#summary(found),
        version: this.version,
        role,
        boards: batch.length,
        durationMs: performance.now() - startMs,
      });
      return found;
    } catch (error) {
      const aborted = options?.signal?.aborted === true;
      const reason = error instanceof InferenceError ? error.reason : 'internal';
      this.#observer.failed(this.version, role, batch.length, aborted ? 'aborted' : reason);
      throw error;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#idle?.();
    }
  }

  /** What reaches this version's own threshold, and what the caller's does not cut off. */
  flagged(found: readonly (readonly Detection[])[]): Detection[][] {
    return found.map((each) => each.filter(({ confidence }) => confidence >= this.engine.verdictThreshold));
  }

  /** Lets calls under way end, then closes the engine. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.engine.close();
  }

  /** Closes the engine at once; calls under way reject. */
  async abandon(): Promise<void> {
    this.#isRetired = true;
    await this.engine.close();
  }

  #summary(found: readonly (readonly Detection[])[]) {
    const flagged = this.flagged(found);
    const defects = flagged.flat();
    return {
      flagged: flagged.filter((each) => each.length > 0).length,
      defects: defects.length,
      confidenceSum: defects.reduce((sum, { confidence }) => sum + confidence, 0),
      opinions: countOpinions(defects),
    };
  }
}
