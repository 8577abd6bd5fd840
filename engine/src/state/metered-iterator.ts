import type { KeyValue, KeyValueIterator } from './key-value-store.ts';
import type { StoreEntry, StoreIterator } from './state-store.ts';

/**
 * Typed view of a bytes iterator.
 *
 * Owns: the bytes iterator; closes it at the end, on `return`, `close` or disposal, once.
 * Called by: user code.
 * Invariants: I1 every entry handed out is a fresh object.
 */
export class MeteredIterator<B, K, V> implements KeyValueIterator<K, V> {
  readonly #entries: StoreIterator<B>;
  readonly #decode: (entry: StoreEntry<B>) => KeyValue<K, V>;

  constructor(entries: StoreIterator<B>, decode: (entry: StoreEntry<B>) => KeyValue<K, V>) {
    this.#entries = entries;
    this.#decode = decode;
  }

  next(): IteratorResult<KeyValue<K, V>, undefined> {
    const step = this.#entries.next();
    if (step.done === true) {
      this.#entries.close();
      return { done: true, value: undefined };
    }
    return { done: false, value: this.#decode(step.value) };
  }

  return(): IteratorResult<KeyValue<K, V>, undefined> {
    this.#entries.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#entries.close();
  }

  [Symbol.iterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.#entries.close();
  }
}
