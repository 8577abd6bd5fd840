import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WindowBytesStoreOptions } from '../../src/state/memory/memory-window-store.ts';
import type { StoreIterator, WindowBytesStore, WindowedBytesKey } from '../../src/state/state-store.ts';
import { bytesFor, changelogBatch, keyOf, StoreFixture } from './store-fixture.ts';

/** Key, window start, value, timestamp. */
type Row = readonly [string, number, string, number];

function rows(iterator: StoreIterator<WindowedBytesKey>): Row[] {
  const all: Row[] = [];
  for (const entry of iterator) {
    all.push([entry.key.key, entry.key.windowStartMs, entry.value.latin1Slice(), entry.timestampMs]);
  }
  return all;
}

const retentionMs = 100;
const options: WindowBytesStoreOptions = {
  name: 'windows',
  loggingEnabled: true,
  retentionMs,
  windowSizeMs: 10,
  retainDuplicates: false,
};

const key = fc.constantFrom('', 'a', 'a\u0000', 'a\u0000\u0000', 'ab', 'b', '\u00ff');
const time = fc.integer({ min: 0, max: 400 });

type Command =
  | { readonly do: 'put'; readonly key: string; readonly start: number; readonly value: string }
  | { readonly do: 'delete'; readonly key: string; readonly start: number }
  | { readonly do: 'get'; readonly key: string; readonly start: number }
  | {
      readonly do: 'fetch';
      readonly key: string;
      readonly from: number;
      readonly to: number;
      readonly reverse: boolean;
    }
  | { readonly do: 'fetchAll'; readonly from: number; readonly to: number; readonly reverse: boolean }
  | { readonly do: 'commit' }
  | { readonly do: 'rollback' }
  | { readonly do: 'reopen' };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      start: time,
      value: fc.constantFrom('', '1', '22', '333'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key, start: time }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('get' as const), key, start: time }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('fetch' as const), key, from: time, to: time, reverse: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('fetchAll' as const), from: time, to: time, reverse: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rollback' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);

/** What every bytes window store keeps to. */
export function windowStoreContract(
  name: string,
  make: (options: WindowBytesStoreOptions) => WindowBytesStore,
  persistent: boolean,
): void {
  describe(`${name} (window store contract)`, () => {
    let fixture: StoreFixture;
    let store: WindowBytesStore;

    const reopenAs = (changed: Partial<WindowBytesStoreOptions>) => {
      store.close();
      store = make({ ...options, ...changed });
      store.open(fixture.context);
    };
    const put = (key: string, start: number, value: string | null, timestampMs = start) =>
      store.put(keyOf(key), value === null ? null : bytesFor(value), start, timestampMs);

    beforeEach(() => {
      fixture = new StoreFixture();
      store = make(options);
      store.open(fixture.context);
    });

    afterEach(() => {
      store.close();
      fixture.remove();
    });

    it('reads one window, overwrites it, deletes it', () => {
      put('k', 10, '1', 12);
      put('k', 10, '2', 15);
      expect(store.get(keyOf('k'), 10)).toEqual({ value: bytesFor('2'), timestampMs: 15 });
      expect(store.get(keyOf('k'), 11)).toBeUndefined();
      put('k', 10, null);
      expect(store.get(keyOf('k'), 10)).toBeUndefined();
      expect(rows(store.fetchAll(0, 1_000, 'forward'))).toEqual([]);
    });

    it('fetches the windows of one key between two starts, both included, in both directions', () => {
      for (const start of [30, 10, 20, 40]) put('k', start, String(start));
      put('kk', 20, 'other');
      expect(rows(store.fetch(keyOf('k'), 10, 30, 'forward')).map((row) => row[1])).toEqual([10, 20, 30]);
      expect(rows(store.fetch(keyOf('k'), 15, 99, 'reverse')).map((row) => row[1])).toEqual([40, 30, 20]);
      expect(rows(store.fetch(keyOf('k'), 30, 10, 'forward'))).toEqual([]);
      expect(rows(store.fetch(keyOf('none'), 0, 99, 'forward'))).toEqual([]);
    });

    it('fetches all keys ordered by key, then start', () => {
      put('b', 10, '1');
      put('a\u0000', 20, '2');
      put('a', 30, '3');
      put('a', 10, '4');
      const seen = rows(store.fetchAll(0, 99, 'forward')).map(([key, start]) => [key, start]);
      expect(seen).toEqual([
        ['a', 10],
        ['a', 30],
        ['a\u0000', 20],
        ['b', 10],
      ]);
      expect(rows(store.fetchAll(0, 99, 'reverse')).map(([key, start]) => [key, start])).toEqual(seen.reverse());
      expect(rows(store.fetchAll(15, 25, 'forward')).map((row) => row[0])).toEqual(['a\u0000']);
    });

    it('fetches the windows of a range of keys, bounds included, in both directions', () => {
      for (const key of ['a', 'a\u0000', 'b', 'bb', 'c']) for (const start of [10, 20]) put(key, start, key);
      const found = (from: string | undefined, to: string | undefined, reverse = false) =>
        rows(
          store.fetchRange(
            from === undefined ? undefined : keyOf(from),
            to === undefined ? undefined : keyOf(to),
            15,
            30,
            reverse ? 'reverse' : 'forward',
          ),
        ).map((row) => row[0]);
      expect(found('a\u0000', 'bb')).toEqual(['a\u0000', 'b', 'bb']);
      expect(found('a\u0000', 'bb', true)).toEqual(['bb', 'b', 'a\u0000']);
      expect(found(undefined, 'a')).toEqual(['a']);
      expect(found('bb', undefined)).toEqual(['bb', 'c']);
      expect(found(undefined, undefined, true)).toEqual(['c', 'bb', 'b', 'a\u0000', 'a']);
      expect(found('c', 'a')).toEqual([]);
      expect(found('c', 'a', true)).toEqual([]);
    });

    it('logs key, start and sequence number 0, the value and its timestamp, a tombstone with that of the record', () => {
      fixture.timestampMs = 20;
      put('k', 0x1_0000_0002, 'v', 5);
      put('k', 0x1_0000_0002, null, 6);
      const logged = Buffer.from('6b00000001000000020000000' + '0', 'hex').latin1Slice();
      expect(fixture.changes).toEqual([
        { store: 'windows', key: logged, value: 'v', timestampMs: 5 },
        { store: 'windows', key: logged, value: null, timestampMs: 20 },
      ]);
    });

    it('drops and counts a put at or below stream time minus retention, and hides what has become that old', () => {
      put('a', 10, 'old');
      put('b', 50, 'young');
      put('c', 110, 'newest');
      put('d', 10, 'too late');
      expect(store.get(keyOf('a'), 10)).toBeUndefined();
      expect(rows(store.fetch(keyOf('a'), 0, 999, 'forward'))).toEqual([]);
      expect(rows(store.fetchAll(0, 999, 'forward')).map((row) => row[0])).toEqual(['b', 'c']);
      expect(fixture.counted).toEqual([
        { name: 'expired-window-record-drop', tags: { 'task-id': '0_0', 'store-name': 'windows' }, delta: 1 },
      ]);
      put('e', 11, 'just in time');
      expect(store.get(keyOf('e'), 11)?.value).toEqual(bytesFor('just in time'));
    });

    it('keeps every put where duplicates are retained, numbered in order of arrival', () => {
      reopenAs({ retainDuplicates: true });
      put('k', 10, 'first');
      put('k', 10, 'second');
      put('k', 5, 'earlier');
      put('k', 10, null);
      put('k', 10, 'first');
      expect(rows(store.fetch(keyOf('k'), 0, 99, 'forward')).map((row) => row[2])).toEqual([
        'earlier',
        'first',
        'second',
        'first',
      ]);
      expect(rows(store.fetchAll(10, 10, 'reverse')).map((row) => row[2])).toEqual(['first', 'second', 'first']);
      const sequences = fixture.changes.map((change) => change.key.charCodeAt(change.key.length - 1));
      expect(sequences).toEqual([1, 2, 3, 4, 5]);
    });

    it('restores from its own changelog, duplicates and sequence numbers included', () => {
      for (const retainDuplicates of [false, true]) {
        reopenAs({ name: `first-${retainDuplicates}`, retainDuplicates });
        fixture.changes.length = 0;
        put('k', 10, 'a');
        put('k', 10, 'b', 11);
        put('k', 20, 'c');
        put('x', 20, 'd');
        put('x', 20, null);
        const before = rows(store.fetchAll(0, 99, 'forward'));
        const log = changelogBatch(fixture.changes);
        reopenAs({ name: `second-${retainDuplicates}`, retainDuplicates });
        store.restore(log, log.count);
        log.buffer.fill(0);
        expect(rows(store.fetchAll(0, 99, 'forward'))).toEqual(before);
        put('k', 10, 'next');
        const last = fixture.changes.at(-1)?.key ?? '';
        expect(last.charCodeAt(last.length - 1)).toBe(retainDuplicates ? 6 : 0);
      }
    });

    it('skips changelog rows that are no window keys', () => {
      store.restore(
        changelogBatch([
          { key: null, value: 'x' },
          { key: 'short', value: 'x' },
        ]),
        2,
      );
      expect(rows(store.fetchAll(0, 999, 'forward'))).toEqual([]);
    });

    it('lets the caller write the windows it iterates over', () => {
      for (const start of [10, 20, 30]) put('k', start, 'old');
      const seen: number[] = [];
      for (const entry of store.fetch(keyOf('k'), 0, 99, 'forward')) {
        seen.push(entry.key.windowStartMs);
        put('k', entry.key.windowStartMs, 'new');
        put('k', entry.key.windowStartMs - 5, 'added');
      }
      expect(seen).toEqual([10, 20, 30]);
    });

    it('agrees with a naive model over random commands', () => {
      fc.assert(
        fc.property(fc.array(command, { minLength: 1, maxLength: 80 }), (commands) => {
          const inner = new StoreFixture();
          const subject = make(options);
          subject.open(inner.context);
          try {
            runAgainstModel(subject, inner, commands, persistent);
          } finally {
            subject.close();
            inner.remove();
          }
        }),
        { numRuns: persistent ? 60 : 200 },
      );
    });
  });
}

interface Model {
  windows: Map<string, Map<number, string>>;
  streamTime: number;
}

function copyOf(model: Model): Model {
  return {
    windows: new Map([...model.windows].map(([key, windows]) => [key, new Map(windows)])),
    streamTime: model.streamTime,
  };
}

function runAgainstModel(
  store: WindowBytesStore,
  fixture: StoreFixture,
  commands: readonly Command[],
  persistent: boolean,
): void {
  let model: Model = { windows: new Map(), streamTime: -1 };
  let committed = copyOf(model);
  let offset = 0;
  const live = (start: number) => start > model.streamTime - retentionMs;
  const expected = (keep: (key: string, start: number) => boolean, reverse: boolean): Row[] => {
    const found: Row[] = [];
    for (const [key, windows] of model.windows) {
      for (const [start, value] of windows) if (live(start) && keep(key, start)) found.push([key, start, value, start]);
    }
    found.sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] < b[0] ? -1 : 1));
    return reverse ? found.reverse() : found;
  };
  const write = (key: string, start: number, value: string | null) => {
    store.put(keyOf(key), value === null ? null : bytesFor(value), start, start);
    model.streamTime = Math.max(model.streamTime, start);
    if (!live(start)) return;
    const windows = model.windows.get(key) ?? new Map<number, string>();
    model.windows.set(key, windows);
    if (value === null) windows.delete(start);
    else windows.set(start, value);
  };
  for (const step of commands) {
    switch (step.do) {
      case 'put':
        write(step.key, step.start, step.value);
        break;
      case 'delete':
        write(step.key, step.start, null);
        break;
      case 'get':
        expect(store.get(keyOf(step.key), step.start)?.value.latin1Slice()).toEqual(
          live(step.start) ? model.windows.get(step.key)?.get(step.start) : undefined,
        );
        break;
      case 'fetch':
        expect(rows(store.fetch(keyOf(step.key), step.from, step.to, step.reverse ? 'reverse' : 'forward'))).toEqual(
          expected((key, start) => key === step.key && start >= step.from && start <= step.to, step.reverse),
        );
        break;
      case 'fetchAll':
        expect(rows(store.fetchAll(step.from, step.to, step.reverse ? 'reverse' : 'forward'))).toEqual(
          expected((_, start) => start >= step.from && start <= step.to, step.reverse),
        );
        expect(rows(store.fetchAllByTime(step.from, step.to))).toEqual(
          expected((_, start) => start >= step.from && start <= step.to, false).sort((a, b) => a[1] - b[1]),
        );
        break;
      case 'commit':
        offset++;
        store.commit(offset);
        committed = copyOf(model);
        break;
      case 'rollback':
        if (store.rollback()) model = copyOf(committed);
        break;
      case 'reopen':
        store.close();
        store.open(fixture.context);
        if (!persistent) committed = { windows: new Map(), streamTime: -1 };
        model = copyOf(committed);
        break;
    }
  }
  expect(rows(store.fetchAll(0, 1_000, 'forward'))).toEqual(expected(() => true, false));
}
