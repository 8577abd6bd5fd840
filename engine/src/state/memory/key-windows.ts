/** No window: {@link KeyWindows} holds slots, which are never negative. */
export const NO_SLOT = -1;

let versions = 0;

function nextVersion(): number {
  versions += 1;
  return versions;
}

const noSlots: readonly number[] = [];

/**
 * The windows of one key, sorted by start and, where duplicates are kept, by sequence number, as slots of the store's columns. Parallel arrays: windows are
 * mostly few, and new ones mostly come last.
 *
 * Owns: the three arrays. Called by: the memory window and session stores and their iterators.
 * Invariants: I1 the arrays have one length; I2 (start, sequence) ascends strictly.
 */
export class KeyWindows {
  /** Window starts (of sessions: ends), epoch ms, ascending. */
  readonly starts: number[];
  /** What tells entries of one start apart: sequence numbers, of sessions their starts. */
  readonly sequences: number[];
  /** Where the store's columns have the value of each entry. */
  readonly slots: number[];
  /** Changes whenever a window is added or removed; unique among all keys' windows. */
  version: number;

  /** Takes the arrays over: the caller may not change them afterwards. */
  constructor(starts: number[] = [], sequences: number[] = [], slots: number[] = [], version = nextVersion()) {
    this.starts = starts;
    this.sequences = sequences;
    this.slots = slots;
    this.version = version;
  }

  /** Entries of the key. */
  get size(): number {
    return this.starts.length;
  }

  /** Slot of the first window with this start; {@link NO_SLOT} where there is none. */
  get(startMs: number): number {
    const starts = this.starts;
    const last = starts.length - 1;
    if (starts[last] === startMs) return this.slots[last] as number;
    const index = this.#lowerBound(startMs);
    return starts[index] === startMs ? (this.slots[index] as number) : NO_SLOT;
  }

  /** Adds a window, after those of the same start with a lower sequence number. There must be none of the same start and number. */
  add(startMs: number, sequence: number, slot: number): void {
    let index = this.#lowerBound(startMs + 1);
    while (index > 0 && this.starts[index - 1] === startMs && (this.sequences[index - 1] as number) > sequence)
      index -= 1;
    this.#insert(index, startMs, sequence, slot);
  }

  /** Slot of the window with this sequence number. */
  find(startMs: number, sequence: number): number {
    const index = this.#indexOf(startMs, sequence);
    return index < 0 ? NO_SLOT : (this.slots[index] as number);
  }

  /** Removes the window with this sequence number, and answers the slot that is free now. */
  delete(startMs: number, sequence: number): number {
    const index = this.#indexOf(startMs, sequence);
    if (index < 0) return NO_SLOT;
    this.version = nextVersion();
    this.starts.splice(index, 1);
    this.sequences.splice(index, 1);
    return this.slots.splice(index, 1)[0] as number;
  }

  /** Removes the windows that start before, and answers their slots. */
  deleteBefore(startMs: number): readonly number[] {
    const count = this.#lowerBound(startMs);
    if (count === 0) return noSlots;
    this.version = nextVersion();
    this.starts.splice(0, count);
    this.sequences.splice(0, count);
    return this.slots.splice(0, count);
  }

  /** A copy of the windows that start in `[fromMs, toMs]`. */
  slice(fromMs: number, toMs: number): KeyWindows {
    const from = this.#lowerBound(fromMs);
    const to = this.#lowerBound(toMs + 1);
    const { starts, sequences, slots, version } = this;
    return new KeyWindows(starts.slice(from, to), sequences.slice(from, to), slots.slice(from, to), version);
  }

  #insert(index: number, startMs: number, sequence: number, slot: number): void {
    this.version = nextVersion();
    if (index === this.starts.length) {
      this.starts.push(startMs);
      this.sequences.push(sequence);
      this.slots.push(slot);
      return;
    }
    this.starts.splice(index, 0, startMs);
    this.sequences.splice(index, 0, sequence);
    this.slots.splice(index, 0, slot);
  }

  /** -1: there is none. */
  #indexOf(startMs: number, sequence: number): number {
    const { starts, sequences } = this;
    const last = starts.length - 1;
    if (starts[last] === startMs && sequences[last] === sequence) return last;
    for (let index = this.#lowerBound(startMs); starts[index] === startMs; index += 1) {
      if (sequences[index] === sequence) return index;
    }
    return -1;
  }

  /** Index of the first window that doesn't start before `startMs`. */
  #lowerBound(startMs: number): number {
    const starts = this.starts;
    let low = 0;
    let high = starts.length;
    if (high > 0 && (starts[high - 1] as number) < startMs) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number) < startMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
