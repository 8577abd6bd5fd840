import type { StoredValue } from '../state-store.ts';

/**
 * The windows of one key, sorted by start and, where duplicates are kept, by sequence number. Parallel arrays: windows are
 * mostly few, and new ones mostly come last.
 *
 * Owns: the three arrays. Called by: the memory window store and its iterators.
 * Invariants: I1 the arrays have one length; I2 (start, sequence) ascends strictly.
 */
export class KeyWindows {
  starts: number[] = [];
  sequences: number[] = [];
  values: StoredValue[] = [];

  get size(): number {
    return this.starts.length;
  }

  get(startMs: number): StoredValue | undefined {
    const starts = this.starts;
    const last = starts.length - 1;
    if (starts[last] === startMs) return this.values[last];
    const index = this.#lowerBound(startMs);
    return starts[index] === startMs ? this.values[index] : undefined;
  }

  /** Writes the one window that starts then; answers whether it is new. */
  set(startMs: number, stored: StoredValue): boolean {
    const starts = this.starts;
    const last = starts.length - 1;
    if (starts[last] === startMs) {
      this.values[last] = stored;
      return false;
    }
    const index = this.#lowerBound(startMs);
    if (starts[index] === startMs) {
      this.values[index] = stored;
      return false;
    }
    this.#insert(index, startMs, 0, stored);
    return true;
  }

  /** Adds a window beside others of the same start; one of the same sequence number is replaced. */
  add(startMs: number, sequence: number, stored: StoredValue): boolean {
    let index = this.#lowerBound(startMs + 1);
    while (index > 0 && this.starts[index - 1] === startMs && (this.sequences[index - 1] as number) >= sequence)
      index--;
    if (this.starts[index] === startMs && this.sequences[index] === sequence) {
      this.values[index] = stored;
      return false;
    }
    this.#insert(index, startMs, sequence, stored);
    return true;
  }

  delete(startMs: number): boolean {
    const index = this.#lowerBound(startMs);
    if (this.starts[index] !== startMs) return false;
    this.starts.splice(index, 1);
    this.sequences.splice(index, 1);
    this.values.splice(index, 1);
    return true;
  }

  deleteBefore(startMs: number): void {
    const count = this.#lowerBound(startMs);
    if (count === 0) return;
    this.starts.splice(0, count);
    this.sequences.splice(0, count);
    this.values.splice(0, count);
  }

  /** A copy of the windows that start in `[fromMs, toMs]`. */
  slice(fromMs: number, toMs: number): KeyWindows {
    const from = this.#lowerBound(fromMs);
    const to = this.#lowerBound(toMs + 1);
    const copy = new KeyWindows();
    copy.starts = this.starts.slice(from, to);
    copy.sequences = this.sequences.slice(from, to);
    copy.values = this.values.slice(from, to);
    return copy;
  }

  #insert(index: number, startMs: number, sequence: number, stored: StoredValue): void {
    if (index === this.starts.length) {
      this.starts.push(startMs);
      this.sequences.push(sequence);
      this.values.push(stored);
      return;
    }
    this.starts.splice(index, 0, startMs);
    this.sequences.splice(index, 0, sequence);
    this.values.splice(index, 0, stored);
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
