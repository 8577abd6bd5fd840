import type { StoreQuery } from '../state/queries/store-query.ts';

/** Whoever holds a partition of a store, or all of a global one, and answers queries about it. */
export interface StoreHolder {
  /**
   * Resolves with the answer, see {@link StoreQuery}. Rejects with INVALID_STATE_STORE (recovery `retry`) when it holds
   * it no more.
   */
  ask(query: StoreQuery): Promise<unknown>;
}

/**
 * The way from a view of a store to those who hold it, here or elsewhere.
 *
 * Called by: the views. Invariants: I1 `holders` answers who holds the store at this moment, so that a view outlives
 * rebalances.
 */
export interface StoreDoor {
  /** Name of the store that is read. */
  readonly store: string;
  /** Serdes get this as the topic. */
  readonly topic: string;
  /**
   * In the order of their partitions, at least one. Throws INVALID_STATE_STORE (recovery `retry`) while they can't be
   * read.
   */
  readonly holders: () => readonly StoreHolder[];
}

/**
 * Asks all holders at once. The first answer in their order that is not undefined counts: a key lives in one partition.
 */
export async function askForOne(door: StoreDoor, query: StoreQuery): Promise<unknown> {
  return (await askAll(door, query)).find((answer) => answer !== undefined);
}

/** Asks all holders at once; their answers in their order. */
export async function askAll(door: StoreDoor, query: StoreQuery): Promise<readonly unknown[]> {
  return Promise.all(door.holders().map((holder) => holder.ask(query)));
}
