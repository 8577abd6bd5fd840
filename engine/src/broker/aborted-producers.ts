/** A transaction that ended in an abort, as Fetch answers list them under read_committed. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/**
 * Which producers have an aborted transaction open at the batch being read, as Kafka's consumer follows it.
 *
 * Invariants: I1 a transaction counts from its first offset to its abort marker.
 */
export class AbortedProducers {
  readonly #waiting: AbortedTransaction[];
  readonly #open = new Set<number>();

  constructor(transactions: readonly AbortedTransaction[] | undefined) {
    this.#waiting =
      transactions === undefined ? [] : [...transactions].sort((left, right) => right.firstOffset - left.firstOffset);
  }

  advance(lastOffset: number): void {
    for (let next = this.#waiting.at(-1); next !== undefined && next.firstOffset <= lastOffset; ) {
      this.#open.add(next.producerId);
      this.#waiting.pop();
      next = this.#waiting.at(-1);
    }
  }

  includes(producerId: number): boolean {
    return this.#open.has(producerId);
  }

  ended(producerId: number): void {
    this.#open.delete(producerId);
  }
}
