import type { StateStoreContext } from './state-store.ts';

/**
 * Which windows a store still has. Stream time is the highest window start ever put, over all keys, as in Kafka Streams.
 *
 * Owns: the observed stream time.
 * Called by: window stores, at every put.
 * Invariants: I1 stream time never goes back; I2 a window is live while `start > streamTime - retention`.
 */
export class WindowRetention {
  /** How long windows are kept after the newest start, ms. */
  readonly retentionMs: number;
  #observedStreamTimeMs = -1;

  /** `retentionMs` of stream time; nothing was observed yet. */
  constructor(retentionMs: number) {
    this.retentionMs = retentionMs;
  }

  /** The highest time ever put, over all keys, epoch ms; -1 before the first. */
  get observedStreamTimeMs(): number {
    return this.#observedStreamTimeMs;
  }

  /** First start that is still live; at most 0 before anything expired. */
  get minLiveStartMs(): number {
    return this.#observedStreamTimeMs - this.retentionMs + 1;
  }

  /** Answers whether stream time moved. */
  observe(windowStartMs: number): boolean {
    if (windowStartMs <= this.#observedStreamTimeMs) return false;
    this.#observedStreamTimeMs = windowStartMs;
    return true;
  }

  /** Sets stream time, to that of the last commit or to -1. */
  reset(observedStreamTimeMs: number): void {
    this.#observedStreamTimeMs = observedStreamTimeMs;
  }
}

/** Counts a put that came after its window had expired. */
export function countExpired(context: StateStoreContext, storeName: string): void {
  context.metrics.count('expired-window-record-drop', { 'task-id': context.taskId, 'store-name': storeName }, 1);
}
