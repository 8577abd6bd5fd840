import {
  type KeyValue,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  Record,
  type SessionStore,
  type StoreBuilder,
  Stores,
  Topology,
  type Windowed,
  type WindowStore,
} from '../../src/index.ts';
import { type Medium, type NamedTopology, type Params, strings, type TopologyFamily } from './family.ts';

/** Windows are kept for this many window lengths. */
const LENGTHS_KEPT = 3;
/** How far around a record's time the reads look, ms. */
const BACK_MS = 12;
const AHEAD_MS = 4;

type Reads = readonly (readonly [name: string, found: string])[];

/** Puts each record into a store in some way, then reads the store in every way and forwards what it found. */
abstract class ReadingProcessor<S> implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;
  protected store!: S;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.store = context.getStateStore('st');
  }

  process(record: Record<string, string>): void {
    const { key, timestamp } = record;
    if (key === null) return;
    const reads = this.read(key, record.value, timestamp);
    const text = reads.map(([name, found]) => `${name}=${found}`).join(' ');
    this.#context.forward(new Record(key, text, timestamp));
  }

  protected abstract read(key: string, value: string | null, timestampMs: number): Reads;
}

class KeyValueReads extends ReadingProcessor<KeyValueStore<string, string>> {
  protected read(key: string, value: string | null): Reads {
    const { store } = this;
    const full = key + (value === null ? 'a' : value.slice(0, 1));
    let answer: string | undefined;
    if (value === null) answer = store.delete(full);
    else if (value.startsWith('x')) answer = store.putIfAbsent(full, value);
    else store.put(full, value);
    return [
      ['answer', answer ?? 'null'],
      ['get', store.get(full) ?? 'null'],
      ['all', entries(store.all())],
      ['reverseAll', entries(store.reverseAll())],
      ['range', entries(store.range(key, `${key}b`))],
      ['rangeTo', entries(store.range(undefined, `${key}b`))],
      ['reverseRange', entries(store.reverseRange(key, undefined))],
      ['emptyRange', entries(store.range(`${key}b`, key))],
      ['prefix', entries(store.prefixScan(key, strings.key))],
    ];
  }
}

class WindowReads extends ReadingProcessor<WindowStore<string, string>> {
  readonly #duplicates: boolean;

  constructor(duplicates: boolean) {
    super();
    this.#duplicates = duplicates;
  }

  protected read(key: string, value: string | null, timestampMs: number): Reads {
    const { store } = this;
    // Among duplicates a null is nothing; whether it moves stream time depends on the medium in Kafka Streams.
    if (value !== null || !this.#duplicates) store.put(key, value, timestampMs);
    const from = timestampMs - BACK_MS;
    const to = timestampMs + AHEAD_MS;
    return [
      ['fetch', starts(store.fetch(key, from, to))],
      ['backwardFetch', starts(store.backwardFetch(key, from, to))],
      ['fetchAll', windows(store.fetchAll(from, to))],
      ['backwardFetchAll', windows(store.backwardFetchAll(from, to))],
      ['all', windows(store.all())],
      ['backwardAll', windows(store.backwardAll())],
    ];
  }
}

class SessionReads extends ReadingProcessor<SessionStore<string, string>> {
  protected read(key: string, value: string | null, timestampMs: number): Reads {
    const { store } = this;
    // Sessions of different lengths that overlap: the store doesn't mind.
    const startMs = Math.max(0, timestampMs - (timestampMs % 7));
    store.put({ key, window: { startMs, endMs: timestampMs } }, value);
    const from = timestampMs - BACK_MS;
    const to = timestampMs + AHEAD_MS;
    const upTo = `${key}z`;
    return [
      ['fetchSession', store.fetchSession(key, startMs, timestampMs) ?? 'null'],
      ['fetch', windows(store.fetch(key))],
      ['backwardFetch', windows(store.backwardFetch(key))],
      ['fetchKeys', windows(store.fetch(key, upTo))],
      ['backwardFetchKeys', windows(store.backwardFetch(key, upTo))],
      ['find', windows(store.findSessions(key, from, to))],
      ['backwardFind', windows(store.backwardFindSessions(key, from, timestampMs))],
      ['findKeys', windows(store.findSessions(key, upTo, from, to))],
      ['backwardFindKeys', windows(store.backwardFindSessions(key, upTo, from, timestampMs))],
    ];
  }
}

function entries(all: Iterable<KeyValue<string, string>>): string {
  return [...all].map(({ key, value }) => `${key}:${value}`).join(',');
}

function starts(all: Iterable<KeyValue<number, string>>): string {
  return [...all].map(({ key, value }) => `${key}:${value}`).join(',');
}

function windows(all: Iterable<KeyValue<Windowed<string>, string>>): string {
  return [...all]
    .map(({ key: { key, window }, value }) => `${key}@${window.startMs}-${window.endMs}:${value}`)
    .join(',');
}

function reading(
  builder: (params: Params, store: Medium) => StoreBuilder,
  processor: (params: Params) => Processor<string, string, string, string>,
  params: readonly string[],
): NamedTopology {
  return {
    params,
    plainStores: ['st'],
    build: (given, store) =>
      new Topology()
        .addSource('src', 'in', strings)
        .addProcessor('proc', () => processor(given), 'src')
        .addStateStore(builder(given, store), 'proc')
        .addSink('sink', 'out', 'proc', strings),
  };
}

/** Stores read in every way: what is found, and in which order. */
export const storeReads: TopologyFamily = {
  'papi-key-value-reads': reading(
    (_params, store) => Stores.keyValueStoreBuilder({ name: 'st', ...strings, store }),
    () => new KeyValueReads(),
    [],
  ),
  'papi-window-reads': reading(
    ({ size = 1, duplicates = 0 }, store) =>
      Stores.windowStoreBuilder({
        name: 'st',
        ...strings,
        store,
        windowSizeMs: size,
        retentionMs: LENGTHS_KEPT * size,
        retainDuplicates: duplicates === 1,
      }),
    ({ duplicates }) => new WindowReads(duplicates === 1),
    ['size', 'duplicates'],
  ),
  'papi-session-reads': reading(
    ({ size = 1 }, store) =>
      Stores.sessionStoreBuilder({ name: 'st', ...strings, store, retentionMs: LENGTHS_KEPT * size }),
    () => new SessionReads(),
    ['size'],
  ),
};
