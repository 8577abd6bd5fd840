import type { KeyValue, KeyValueIterator } from './key-value-store.ts';
import type { OpenIterators } from './open-iterators.ts';
import type { StoreEntry, StoreIterator } from './state-store.ts';

/**
 * Typed view of a bytes iterator.
 *
 * Owns: the bytes iterator; closes it at the end, on `return`, `close` or disposal, once.
 * Called by: user code.
 * Invariants: I1 every entry handed out is a fresh object.
 */
export class MeteredIterator<B, K, V> implements KeyValueIterator<K, V> {
  readonly #open: OpenIterators;
  readonly #entries: StoreIterator<B>;
  readonly #decode: (entry: StoreEntry<B>) => KeyValue<K, V>;
  #isClosed = false;

  /** Counts as open from now on. `decode` makes the typed entry from one of the bytes store, which reuses its own. */
  constructor(open: OpenIterators, entries: StoreIterator<B>, decode: (entry: StoreEntry<B>) => KeyValue<K, V>) {
    this.#open = open;
    this.#entries = entries;
    open.add();
    this.#decode = decode;
  }

  next(): IteratorResult<KeyValue<K, V>, undefined> {
    const step = this.#entries.next();
    if (step.done === true) {
      this.close();
      return { done: true, value: undefined };
    }
    return { done: false, value: this.#decode(step.value) };
  }

  return(): IteratorResult<KeyValue<K, V>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#entries.close();
    this.#open.remove();
  }

  [Symbol.iterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
