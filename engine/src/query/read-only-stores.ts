import type { Serde } from '../serde/serde.ts';
import type { Windowed } from '../serde/windowed.ts';
import type { KeyValue, KeyValueIterator, KeyValueStore, ReadOnlyKeyValueStore } from '../state/key-value-store.ts';
import type { ReadOnlyWindowStore, WindowStore } from '../state/window-store.ts';

/**
 * Iterators of several stores, one after another.
 *
 * Owns: the iterators; closes the open one at the end, on `return`, `close` or disposal.
 * Invariants: I1 at most one of them is open.
 */
export class ChainedIterator<K, V> implements KeyValueIterator<K, V> {
  readonly #openers: (() => KeyValueIterator<K, V>)[];
  #current: KeyValueIterator<K, V> | undefined;

  constructor(openers: readonly (() => KeyValueIterator<K, V>)[]) {
    this.#openers = [...openers];
  }

  next(): IteratorResult<KeyValue<K, V>, undefined> {
    for (;;) {
      this.#current ??= this.#openers.shift()?.();
      if (this.#current === undefined) return { done: true, value: undefined };
      const step = this.#current.next();
      if (step.done !== true) return step;
      this.#current.close();
      this.#current = undefined;
    }
  }

  return(): IteratorResult<KeyValue<K, V>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#openers.length = 0;
    this.#current?.close();
    this.#current = undefined;
  }

  [Symbol.iterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * A key-value store over all local partitions, read-only. Reads happen between records and see what the tasks have processed,
 * committed or not. Ranges are in key order within a partition; partitions follow one another. Iterate at once: an iterator kept over
 * an `await` may meet changed state.
 *
 * `stores` is asked at each read, so that a view outlives rebalances; it throws while a partition is being restored.
 */
export class CompositeKeyValueStore<K, V> implements ReadOnlyKeyValueStore<K, V> {
  readonly #stores: () => readonly KeyValueStore<K, V>[];

  constructor(stores: () => readonly KeyValueStore<K, V>[]) {
    this.#stores = stores;
  }

  get(key: K): V | undefined {
    for (const store of this.#stores()) {
      const value = store.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  range(from: K | undefined, to: K | undefined): KeyValueIterator<K, V> {
    return this.#chain((store) => store.range(from, to));
  }

  reverseRange(from: K | undefined, to: K | undefined): KeyValueIterator<K, V> {
    return this.#chain((store) => store.reverseRange(from, to));
  }

  all(): KeyValueIterator<K, V> {
    return this.#chain((store) => store.all());
  }

  reverseAll(): KeyValueIterator<K, V> {
    return this.#chain((store) => store.reverseAll());
  }

  prefixScan<P>(prefix: P, prefixSerde: Serde<P>): KeyValueIterator<K, V> {
    return this.#chain((store) => store.prefixScan(prefix, prefixSerde));
  }

  approximateNumEntries(): number {
    return this.#stores().reduce((sum, store) => sum + store.approximateNumEntries(), 0);
  }

  #chain(open: (store: KeyValueStore<K, V>) => KeyValueIterator<K, V>): KeyValueIterator<K, V> {
    return new ChainedIterator(this.#stores().map((store) => () => open(store)));
  }
}

/** A window store over all local partitions, read-only; as {@link CompositeKeyValueStore}. */
export class CompositeWindowStore<K, V> implements ReadOnlyWindowStore<K, V> {
  readonly #stores: () => readonly WindowStore<K, V>[];

  constructor(stores: () => readonly WindowStore<K, V>[]) {
    this.#stores = stores;
  }

  fetch(key: K, windowStartMs: number): V | undefined;
  fetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V>;
  fetch(keyFrom: K | undefined, keyTo: K | undefined, fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V>;
  fetch(
    ...args: [K, number, number?] | [K | undefined, K | undefined, number, number]
  ): V | undefined | KeyValueIterator<number, V> | KeyValueIterator<Windowed<K>, V> {
    if (args.length === 4) return this.#chain((store) => store.fetch(...args));
    const [key, fromMs, toMs] = args;
    if (toMs !== undefined) return this.#chain((store) => store.fetch(key, fromMs, toMs));
    for (const store of this.#stores()) {
      const value = store.fetch(key, fromMs);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  backwardFetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V>;
  backwardFetch(
    keyFrom: K | undefined,
    keyTo: K | undefined,
    fromMs: number,
    toMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
  backwardFetch(
    ...args: [K, number, number] | [K | undefined, K | undefined, number, number]
  ): KeyValueIterator<number, V> | KeyValueIterator<Windowed<K>, V> {
    if (args.length === 4) return this.#chain((store) => store.backwardFetch(...args));
    return this.#chain((store) => store.backwardFetch(...args));
  }

  fetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V> {
    return this.#chain((store) => store.fetchAll(fromMs, toMs));
  }

  backwardFetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V> {
    return this.#chain((store) => store.backwardFetchAll(fromMs, toMs));
  }

  all(): KeyValueIterator<Windowed<K>, V> {
    return this.#chain((store) => store.all());
  }

  backwardAll(): KeyValueIterator<Windowed<K>, V> {
    return this.#chain((store) => store.backwardAll());
  }

  #chain<Key>(open: (store: WindowStore<K, V>) => KeyValueIterator<Key, V>): KeyValueIterator<Key, V> {
    return new ChainedIterator(this.#stores().map((store) => () => open(store)));
  }
}
