/** A transaction that ended in an abort, as Fetch answers list them under read_committed. */
export interface AbortedTransaction {
  /** Its producer: batches name it. */
  readonly producerId: number;
  /** Offset of its first record in the partition. */
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

  /** The transactions that the Fetch answer names; undefined: it named none. */
  constructor(transactions: readonly AbortedTransaction[] | undefined) {
    this.#waiting =
      transactions === undefined ? [] : [...transactions].sort((left, right) => right.firstOffset - left.firstOffset);
  }

  /** Takes the transactions as open that begin at or before this offset: the last of the batch that is read next. */
  advance(lastOffset: number): void {
    for (let next = this.#waiting.at(-1); next !== undefined && next.firstOffset <= lastOffset; ) {
      this.#open.add(next.producerId);
      this.#waiting.pop();
      next = this.#waiting.at(-1);
    }
  }

  /** Whether a transactional batch of this producer is to be skipped. */
  includes(producerId: number): boolean {
    return this.#open.has(producerId);
  }

  /** The abort marker of this producer was read: what it writes from then on belongs to another transaction. */
  ended(producerId: number): void {
    this.#open.delete(producerId);
  }
}
