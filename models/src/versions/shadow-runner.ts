import type { Detection, DetectorInput } from '@chip-quality/schemas';
import type { InferOptions } from '../inference-port.ts';
import { compareDetections } from './compare-detections.ts';
import type { ModelObserver } from './model-observer.ts';
import type { VersionSlot } from './version-slot.ts';

/** Batches that a shadow may be behind: 16 boards of two images are 13 MB. */
const BATCHES_BEHIND_MAX = 4;

/**
 * Lets a second version see what the first one judges. Its answers and faults reach nobody but the observer, and nobody waits
 * for it: where it lags behind, boards are skipped and counted.
 *
 * Owns: the shadow's calls under way. Called by: the life cycle's route.
 * Invariants: I1 the caller's answer and its time are those of the judging version; I2 at most four batches are behind.
 */
export class ShadowRunner {
  readonly #judge: VersionSlot;
  readonly #shadow: VersionSlot;
  readonly #observer: ModelObserver;
  readonly #stopped = new AbortController();
  #behind = 0;
  /** One after the other: the shadow must not take two cores where the judge has one. */
  #last: Promise<void> = Promise.resolve();

  constructor(judge: VersionSlot, shadow: VersionSlot, observer: ModelObserver) {
    this.#judge = judge;
    this.#shadow = shadow;
    this.#observer = observer;
  }

  /** The judging version's answer. */
  async infer(batch: readonly DetectorInput[], options: InferOptions = {}): Promise<Detection[][]> {
    const found = await this.#judge.infer('production', batch, options);
    if (this.#stopped.signal.aborted) return found;
    if (this.#behind >= BATCHES_BEHIND_MAX) this.#observer.shadowSkipped(this.#shadow.version, batch.length);
    else {
      this.#behind += 1;
      this.#last = this.#last.then(() => this.#compare(batch, found, options.confidenceThreshold));
    }
    return found;
  }

  /** What was not begun is dropped. */
  stop(): void {
    this.#stopped.abort(new Error('the shadow was taken away'));
  }

  async #compare(
    batch: readonly DetectorInput[],
    found: readonly (readonly Detection[])[],
    askedThreshold = 0,
  ): Promise<void> {
    try {
      if (this.#stopped.signal.aborted) return;
      const seen = await this.#shadow.infer('shadow', batch, { signal: this.#stopped.signal });
      const asked = (each: readonly Detection[]) => each.filter(({ confidence }) => confidence >= askedThreshold);
      this.#observer.compared(
        this.#judge.version,
        this.#shadow.version,
        compareDetections(this.#judge.flagged(found).map(asked), this.#shadow.flagged(seen).map(asked)),
      );
    } catch {
      // The slot has told the observer; nobody else is told of a shadow's faults.
    } finally {
      this.#behind -= 1;
    }
  }
}
