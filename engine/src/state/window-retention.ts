import type { StateStoreContext } from './state-store.ts';

/**
 * Which windows a store still has. Stream time is the highest window start ever put, over all keys, as in Kafka Streams.
 *
 * Owns: the observed stream time.
 * Called by: window stores, at every put.
 * Invariants: I1 stream time never goes back; I2 a window is live while `start > streamTime - retention`.
 */
export class WindowRetention {
  readonly retentionMs: number;
  #observedStreamTimeMs = -1;

  constructor(retentionMs: number) {
    this.retentionMs = retentionMs;
  }

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

  reset(observedStreamTimeMs: number): void {
    this.#observedStreamTimeMs = observedStreamTimeMs;
  }
}

/** Counts a put that came after its window had expired. */
export function countExpired(context: StateStoreContext, storeName: string): void {
  context.metrics.count('expired-window-record-drop', { 'task-id': context.taskId, 'store-name': storeName }, 1);
}
