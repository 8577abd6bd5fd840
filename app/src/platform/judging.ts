import type { OwnedDetector } from '@chip-quality/models';
import type { RunningDetector } from '../detector/start-detector.ts';
import type { Component } from './component.ts';

/** How soon a detector that is gone shows in the readiness of this process. */
const POLL_MS = 5_000;

/**
 * The detector as a component.
 *
 * Owns: the running detector, and what is known of its readiness. Called by: the components of the process.
 * Invariants: I1 `detector` is there once it has started.
 */
export class Judging implements Component {
  readonly name = 'detector';
  readonly #open: () => Promise<RunningDetector>;
  #running: RunningDetector | undefined;
  #isReady = true;
  #timer: NodeJS.Timeout | undefined;

  /** `open`: where what judges comes from. */
  constructor(open: () => Promise<RunningDetector>) {
    this.#open = open;
  }

  /** @throws Error before it has started */
  get detector(): OwnedDetector {
    if (this.#running === undefined) throw new Error('The detector has not started yet');
    return this.#running.detector;
  }

  async start(): Promise<void> {
    this.#running = await this.#open();
    this.#timer = setInterval(() => void this.#look(), POLL_MS).unref();
  }

  isReady(): boolean {
    return this.#isReady;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running?.close();
  }

  async #look(): Promise<void> {
    this.#isReady = await this.detector.ready();
  }
}
