import type { LiveMessage, LiveSnapshot } from '@chip-quality/schemas';

/**
 * What the API's own rooms ask of each other. What it asks of the rest of the platform (commands, queries, objects) is in
 * `schemas/src/contracts`, since others implement it.
 */

/** Per-tenant live feed; keeps a bounded history so that a client may resume from an offset. */
export interface LiveFeed {
  /** The state of a tenant now, with the offset that its messages go on from. */
  snapshot(tenantId: string): LiveSnapshot;
  /** Messages after `offset` of `epoch`, or undefined when they are gone (`resync`). */
  since(tenantId: string, epoch: string, offset: number): readonly LiveMessage[] | undefined;
  /** Calls `listener` with each later message of the tenant, in order; answers a function that ends it. */
  subscribe(tenantId: string, listener: (message: LiveMessage) => void): () => void;
}

/** The time, so that tests decide it. */
export interface ApiClock {
  /** Epoch ms. */
  nowMs(): number;
}
