/** One input record whose processing is not over: some asynchronous operator still holds it. */
export class PendingOffset {
  /** Offset of the record in its partition. */
  readonly offset: number;
  /** Operators that have it; 0: it is finished. */
  holds = 0;

  /** Held by nobody yet. */
  constructor(offset: number) {
    this.offset = offset;
  }
}

/**
 * Which input records of one partition are unfinished, so that a commit never passes one.
 *
 * Owns: the entries, in offset order. Called by: StreamTask.
 * Invariants: I1 entries are in ascending offset order (records of a partition are taken in order, but what a cache lets go of
 * belongs to an earlier one); I2 `lowest` is the
 * smallest offset with holds; I3 an entry may be held again while it is held (a result that enters another operator).
 */
export class PendingOffsets {
  #entries: PendingOffset[] = [];
  #head = 0;

  /** Adds the record now being processed, at its first hold, or an earlier one that is held anew. */
  add(offset: number): PendingOffset {
    const entry = new PendingOffset(offset);
    const entries = this.#entries;
    let index = entries.length;
    while (index > this.#head && (entries[index - 1] as PendingOffset).offset > offset) index -= 1;
    if (index === entries.length) entries.push(entry);
    else entries.splice(index, 0, entry);
    return entry;
  }

  /** Offset of the oldest unfinished record; undefined when all are finished. */
  get lowest(): number | undefined {
    const entries = this.#entries;
    while (this.#head < entries.length && (entries[this.#head] as PendingOffset).holds === 0) this.#head += 1;
    if (this.#head === entries.length) {
      this.#entries = [];
      this.#head = 0;
      return undefined;
    }
    if (this.#head > 1_024) {
      this.#entries = entries.slice(this.#head);
      this.#head = 0;
    }
    return (this.#entries[this.#head] as PendingOffset).offset;
  }

  /** Forgets all: the partition begins anew. */
  clear(): void {
    this.#entries = [];
    this.#head = 0;
  }
}
