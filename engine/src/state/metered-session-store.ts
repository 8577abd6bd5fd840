import type { Windowed } from '../serde/windowed.ts';
import type { KeyValue, KeyValueIterator } from './key-value-store.ts';
import { MeteredIterator } from './metered-iterator.ts';
import { MeteredStore } from './metered-store.ts';
import type { SessionStore } from './session-store.ts';
import type { SessionBytesKey, SessionBytesStore, StoredValue, StoreEntry, StoreIterator } from './state-store.ts';

const END_OF_TIME = Number.MAX_SAFE_INTEGER;
type Direction = 'forward' | 'reverse';

/**
 * The typed session store.
 *
 * Owns: nothing; all state is in `bytes`.
 * Called by: processors, DSL nodes, interactive queries.
 *
 * @internal Made by `Stores.sessionStoreBuilder`.
 */
export class TypedSessionStore<K, V> extends MeteredStore<SessionBytesStore, K, V, V> implements SessionStore<K, V> {
  get retentionMs(): number {
    return this.bytes.retentionMs;
  }

  put(session: Windowed<K>, value: V | null | undefined): void {
    const bytes = value === null || value === undefined ? null : this.toBytes(value);
    const { startMs, endMs } = session.window;
    this.bytes.put(this.binary(session.key), bytes, startMs, endMs, this.timestampOf());
  }

  remove(session: Windowed<K>): void {
    this.put(session, null);
  }

  fetchSession(key: K, startMs: number, endMs: number): V | undefined {
    const stored = this.bytes.get(this.binary(key), startMs, endMs);
    return stored === undefined ? undefined : this.toUser(stored);
  }

  fetch(key: K): KeyValueIterator<Windowed<K>, V>;
  fetch(from: K | undefined, to: K | undefined): KeyValueIterator<Windowed<K>, V>;
  fetch(...keys: [K] | [K | undefined, K | undefined]): KeyValueIterator<Windowed<K>, V> {
    return this.#fetch(keys, 'forward');
  }

  backwardFetch(key: K): KeyValueIterator<Windowed<K>, V>;
  backwardFetch(from: K | undefined, to: K | undefined): KeyValueIterator<Windowed<K>, V>;
  backwardFetch(...keys: [K] | [K | undefined, K | undefined]): KeyValueIterator<Windowed<K>, V> {
    return this.#fetch(keys, 'reverse');
  }

  findSessions(key: K, earliestEndMs: number, latestStartMs: number): KeyValueIterator<Windowed<K>, V>;
  findSessions(
    from: K | undefined,
    to: K | undefined,
    earliestEndMs: number,
    latestStartMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
  findSessions(
    ...args: [K, number, number] | [K | undefined, K | undefined, number, number]
  ): KeyValueIterator<Windowed<K>, V> {
    return this.#find(args, 'forward');
  }

  backwardFindSessions(key: K, earliestEndMs: number, latestStartMs: number): KeyValueIterator<Windowed<K>, V>;
  backwardFindSessions(
    from: K | undefined,
    to: K | undefined,
    earliestEndMs: number,
    latestStartMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
  backwardFindSessions(
    ...args: [K, number, number] | [K | undefined, K | undefined, number, number]
  ): KeyValueIterator<Windowed<K>, V> {
    return this.#find(args, 'reverse');
  }

  toUser(stored: StoredValue): V {
    return this.valueSerde.deserialize(stored.value, 0, stored.value.length, this.topic);
  }

  protected toBytes(value: V): Buffer {
    return this.valueSerde.serialize(value, this.topic);
  }

  /** Sessions keep no timestamp; the changelog record gets that of the record being processed, as in Kafka Streams. */
  protected timestampOf(): number {
    return this.context?.timestampMs() ?? 0;
  }

  #fetch(keys: [K] | [K | undefined, K | undefined], direction: Direction): KeyValueIterator<Windowed<K>, V> {
    return keys.length === 1
      ? this.#find([keys[0], 0, END_OF_TIME], direction)
      : this.#find([keys[0], keys[1], 0, END_OF_TIME], direction);
  }

  #find(
    args: [K, number, number] | [K | undefined, K | undefined, number, number],
    direction: Direction,
  ): KeyValueIterator<Windowed<K>, V> {
    if (args.length === 3) {
      const [key, earliestEndMs, latestStartMs] = args;
      return this.#iterate(this.bytes.findSessions(this.binary(key), earliestEndMs, latestStartMs, direction));
    }
    const [from, to, earliestEndMs, latestStartMs] = args;
    return this.#iterate(
      this.bytes.findSessionsInRange(this.bound(from), this.bound(to), earliestEndMs, latestStartMs, direction),
    );
  }

  /** @internal An entry as iterators and queries hand it out. */
  entryOf(entry: StoreEntry<SessionBytesKey>): KeyValue<Windowed<K>, V> {
    const { startMs, endMs } = entry.key;
    return { key: { key: this.keyOf(entry.key.key), window: { startMs, endMs } }, value: this.toUser(entry) };
  }

  #iterate(entries: StoreIterator<SessionBytesKey>): KeyValueIterator<Windowed<K>, V> {
    return new MeteredIterator(this.openIterators, entries, (entry: StoreEntry<SessionBytesKey>) =>
      this.entryOf(entry),
    );
  }
}
