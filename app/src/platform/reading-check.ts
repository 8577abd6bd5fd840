import { type Clock, systemClock } from 'millrace';

/** How often a reader is asked for proof. */
const ASK_EVERY_MS = 2_000;
/**
 * From when on a reader without proof counts as one that doesn't read: a request waits 8 s for its answer, so a reader that needs
 * longer brings none.
 */
const PROOF_MS_MAX = 10_000;

/**
 * Whether a reader reads. Asks it for proof again and again, since one that is stuck says nothing by itself.
 *
 * Owns: the time of the last proof. Called by: readers. Invariants: I1 at most one question at a time.
 */
export class ReadingCheck {
  readonly #prove: () => Promise<void>;
  readonly #clock: Clock;
  #provenAtMs: number;
  #timer: { cancel(): void } | undefined;
  #isClosed = false;

  /** `prove` resolves when everything that was there when it was called has been read; it may take for ever. */
  constructor(prove: () => Promise<void>, clock: Clock = systemClock) {
    this.#prove = prove;
    this.#clock = clock;
    this.#provenAtMs = clock.monotonicMs();
    this.#askIn(0);
  }

  /** True at the beginning, too. */
  get isReading(): boolean {
    return this.#clock.monotonicMs() - this.#provenAtMs <= PROOF_MS_MAX;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #askIn(delayMs: number): void {
    if (!this.#isClosed) this.#timer = this.#clock.setTimer(delayMs, () => void this.#ask());
  }

  /** Never rejects: an answer that doesn't come is the answer. */
  async #ask(): Promise<void> {
    const askedAtMs = this.#clock.monotonicMs();
    try {
      await this.#prove();
      this.#provenAtMs = askedAtMs;
    } catch {
      // The reader tells its own failures.
    }
    const tookMs = this.#clock.monotonicMs() - askedAtMs;
    this.#askIn(Math.max(0, ASK_EVERY_MS - tookMs));
  }
}
