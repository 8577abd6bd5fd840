import {
  Headers,
  type KStream,
  type KTable,
  type Processor,
  type ProcessorContext,
  Record,
  SessionWindows,
  SlidingWindows,
  Stores,
  StreamsBuilder,
  string,
  TimeWindows,
  Topology,
  type Windowed,
  windowed,
} from '../../src/index.ts';
import type { KeyValueStore } from '../../src/state/key-value-store.ts';
import type { SessionStore } from '../../src/state/session-store.ts';
import type { WindowStore } from '../../src/state/window-store.ts';
import { joined, type Medium, type Params, strings, type TopologyFamily, text } from './family.ts';

/** Makes several records of one: updates of one commit, so that a cache has something to hold back. */
class Fan implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
  }

  process(record: Record<string, string>): void {
    const { key, timestamp } = record;
    const value = record.value as string | null;
    if (value === null) {
      this.#context.forward(record);
      return;
    }
    this.#context.forward(new Record(key, value, timestamp, new Headers().add('h', value)));
    this.#context.forward(new Record(key, `x${value}`, Math.max(0, timestamp - 3)));
    this.#context.forward(
      new Record(key, `${value}'`, timestamp + 1, new Headers().add('long-name', `${value}${value}`)),
    );
  }
}

/** Adds where the record came from to its value. */
export class Origin implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
  }

  process(record: Record<string, string>): void {
    const metadata = this.#context.recordMetadata();
    this.#context.forward(record.withValue(`${text(record.value)}@${text(metadata?.topic)}-${text(metadata?.offset)}`));
  }
}

export function fanned(builder: StreamsBuilder, topic: string): KStream<string, string> {
  return builder.stream(topic, strings).processValues(() => new Fan());
}

function hopping(params: Params): TimeWindows {
  const { size, advance, grace } = params as { size: number; advance: number; grace: number };
  return TimeWindows.ofSizeAndGrace(size, grace).advanceBy(Math.min(advance, size));
}

/** Concatenates; long texts are deleted. */
function grown(limit: number): (_key: string, value: string | null, aggregate: string) => string | null {
  return (_key, value, aggregate) => (aggregate.length > limit ? null : aggregate + text(value));
}

export function hoppingTexts(
  builder: StreamsBuilder,
  topic: string,
  name: string,
  params: Params,
  store: Medium,
): KTable<Windowed<string>, string> {
  return fanned(builder, topic)
    .groupByKey(strings)
    .windowedBy(hopping(params))
    .aggregate(() => '', grown(14), { value: string(), materialized: { name, store } });
}

const grid = ['size', 'advance', 'grace', 'cacheBytes'] as const;
const timeKey = { kind: 'time', sizeParam: 'size' } as const;

/** Programs with record caches whose input records make many updates each. */
export const cached: TopologyFamily = {
  'cached-reduce': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      fanned(builder, 'in')
        .groupByKey(strings)
        .reduce((aggregate, value) => (aggregate.length > 20 ? null : aggregate + value), {
          materialized: { name: 'r', store },
        })
        .toStream()
        .processValues(() => new Origin())
        .to('out', strings);
      return builder.build();
    },
    params: ['cacheBytes'],
  },

  'cached-read-below': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      fanned(builder, 'in')
        .groupByKey(strings)
        .aggregate(() => '', grown(14), { value: string(), materialized: { name: 'r', store } })
        .toStream()
        .process(() => new ReadsAbove(), { stores: ['r'] })
        .to('out', strings);
      return builder.build();
    },
    params: ['cacheBytes'],
  },

  'cached-chain': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      fanned(builder, 'in')
        .groupByKey(strings)
        .aggregate(() => '', grown(14), { value: string(), materialized: { name: 'a', store } })
        .filter((_key, value) => !value.includes('b'), { materialized: { name: 'f', store } })
        .mapValues((value) => `${value}!`, { materialized: { name: 'm', store, value: string() } })
        .groupBy((key, value) => [value.slice(0, 1), key + value] as const, { ...strings, name: 'byfirst' })
        .reduce(
          (aggregate, value) => `${aggregate}+${value}`,
          (aggregate, value) => (aggregate.length > 40 ? null : `${aggregate}-${value}`),
          { materialized: { name: 'g', store } },
        )
        .toStream()
        .to('out', strings);
      return builder.build();
    },
    params: ['cacheBytes'],
  },

  'cached-hopping': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      hoppingTexts(builder, 'in', 'w', params, store).toStream().to('out');
      return builder.build();
    },
    output: { key: timeKey },
    params: grid,
  },

  'cached-windowed-chain': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const key = windowed(string(), params['size'] as number);
      hoppingTexts(builder, 'in', 'w', params, store)
        .filter((_key, value) => !value.startsWith('x'), { materialized: { name: 'f', store, key, value: string() } })
        .mapValues((value) => `${value}!`, { materialized: { name: 'm', store, key, value: string() } })
        .toStream()
        .to('out', { key, value: string() });
      return builder.build();
    },
    output: { key: timeKey },
    params: grid,
  },

  'cached-windowed-join': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const key = windowed(string(), params['size'] as number);
      const left = hoppingTexts(builder, 'left', 'l', params, store).mapValues((value) => `${value}L`, {
        materialized: { name: 'lm', store, key, value: string() },
      });
      const right = hoppingTexts(builder, 'right', 'r', params, store);
      left
        .outerJoin(right, joined, { materialized: { name: 'j', store, key, value: string() } })
        .filter((_key, value) => !value.includes('c'))
        .toStream()
        .to('out', { key, value: string() });
      return builder.build();
    },
    output: { key: timeKey },
    params: grid,
  },

  'cached-sliding': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      fanned(builder, 'in')
        .groupByKey(strings)
        // Kafka Streams' cache can't read windows of length 0, nor read backwards over deleted ones.
        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace((params['diff'] as number) + 1, params['grace'] as number))
        .aggregate(() => '', grown(1_000_000), {
          value: string(),
          materialized: { name: 'w', store, retentionMs: params['retention'] as number },
        })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'diff' } },
    params: ['diff', 'grace', 'cacheBytes'],
    // A window that leaves a cache may have expired in the store: how soon one leaves must not show.
    fixed: { retention: 100_000 },
  },

  'cached-session': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      fanned(builder, 'in')
        .groupByKey(strings)
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(params['gap'] as number, params['grace'] as number))
        .aggregate(
          () => '',
          (_key, value, aggregate) => aggregate + text(value),
          (_key, aggregate, other) => `(${aggregate}&${other})`,
          { value: string(), materialized: { name: 's', store } },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'session' } },
    params: ['gap', 'grace', 'cacheBytes'],
  },

  'cached-papi': {
    build: (_params, store) => {
      const texts = Stores.keyValueStoreBuilder({ name: 'kv', ...strings, store, cachingEnabled: true });
      const times = Stores.timestampedKeyValueStoreBuilder({ name: 'ts', ...strings, store, cachingEnabled: true });
      return new Topology()
        .addSource('src', 'in', strings)
        .addProcessor('proc', { get: () => new UsesStores(), stores: () => [texts, times] }, 'src')
        .addSink('sink', 'out', 'proc', strings);
    },
    params: ['cacheBytes'],
  },

  'cached-papi-windows': {
    build: (_params, store) => {
      const windows = Stores.windowStoreBuilder({
        name: 'w',
        ...strings,
        store,
        cachingEnabled: true,
        windowSizeMs: 5,
        retentionMs: 40,
      });
      const sessions = Stores.sessionStoreBuilder({
        name: 's',
        ...strings,
        store,
        cachingEnabled: true,
        retentionMs: 40,
      });
      return new Topology()
        .addSource('src', 'in', strings)
        .addProcessor('proc', { get: () => new UsesWindows(), stores: () => [windows, sessions] }, 'src')
        .addSink('sink', 'out', 'proc', strings);
    },
    params: ['cacheBytes'],
  },
};

/** Reads the cached table that its records come from: what a read lets go of comes by here in the middle of another record. */
class ReadsAbove implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;
  #store!: KeyValueStore<string, { value: string; timestampMs: number }>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#store = context.getStateStore('r');
  }

  process(record: Record<string, string>): void {
    const seen = ['A', 'B', 'C'].map((key) => text(this.#store.get(key)?.value));
    this.#context.forward(record.withValue(`${text(record.value)}:${seen.join()}`));
    this.#context.forward(record);
  }
}

/** Every operation of a key-value store, on keys made of the record's. */
class UsesStores implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;
  #store!: KeyValueStore<string, string>;
  #times!: KeyValueStore<string, { value: string; timestampMs: number }>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#store = context.getStateStore('kv');
    this.#times = context.getStateStore('ts');
  }

  process(record: Record<string, string>): void {
    const key = text(record.key);
    const value = text(record.value);
    const store = this.#store;
    const seen: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      seen.push(text(store.get(`${key}${i}`)));
      store.put(`${key}${(i * 3) % 5}`, value + i);
      this.#times.put(`${i}`, { value: `${value}${key}`, timestampMs: record.timestamp + i });
    }
    seen.push(text(store.putIfAbsent(`${key}9`, value)));
    if (value.startsWith('b')) seen.push(text(store.delete(`${key}1`)), text(store.delete('none')));
    if (value.startsWith('x'))
      store.putAll([
        { key: `${key}7`, value },
        { key: `${key}1`, value: null },
      ]);
    seen.push(shown(store.range(`${key}1`, `${key}8`)), shown(store.all()), shown(store.prefixScan(key, string())));
    seen.push(text(this.#times.get('2')?.value), text(this.#times.get('2')?.timestampMs));
    this.#context.forward(new Record(key, seen.join(';'), record.timestamp));
    // Reading backwards over deletions that are only cached is wrong in Kafka Streams, so there are none.
    if (value.startsWith('c')) {
      const times = [...this.#times.reverseRange('0', '2')].map((entry) => `${entry.key}=${entry.value.value}`);
      this.#context.forward(new Record(key, times.join(','), record.timestamp));
    }
  }
}

/**
 * Puts and finds windows and sessions of one key at a time. Sessions are of one length: of those with a common end Kafka Streams
 * shows some twice where cache and store have them in different orders.
 */
class UsesWindows implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;
  #windows!: WindowStore<string, string>;
  #sessions!: SessionStore<string, string>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#windows = context.getStateStore('w');
    this.#sessions = context.getStateStore('s');
  }

  process(record: Record<string, string>): void {
    const key = text(record.key);
    const value = text(record.value);
    const { timestamp } = record;
    const seen: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      const startMs = Math.max(0, timestamp - 4 * i);
      seen.push(text(this.#windows.fetch(key, startMs)));
      this.#windows.put(key, value === 'x' ? null : value + i, startMs);
      const session = { key, window: { startMs, endMs: startMs + 2 } };
      if (value.startsWith('b')) this.#sessions.remove(session);
      else this.#sessions.put(session, value + i);
      seen.push(text(this.#sessions.fetchSession(key, startMs, startMs + 2)));
    }
    const from = Math.max(0, timestamp - 20);
    seen.push(shown(this.#windows.fetch(key, from, timestamp)));
    const found = [...this.#sessions.findSessions(key, from, timestamp)];
    seen.push(found.map((each) => `${each.key.window.startMs}-${each.key.window.endMs}=${each.value}`).join(','));
    this.#context.forward(new Record(key, seen.join(';'), timestamp));
  }
}

function shown(entries: Iterable<{ readonly key: string | number; readonly value: string }>): string {
  return [...entries].map(({ key, value }) => `${key}=${value}`).join(',');
}
