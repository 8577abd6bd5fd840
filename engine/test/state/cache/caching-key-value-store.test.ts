import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { BinaryKey } from '../../../src/base/bytes.ts';
import { CachingKeyValueStore } from '../../../src/state/cache/caching-key-value-store.ts';
import { MemoryKeyValueStore } from '../../../src/state/memory/memory-key-value-store.ts';
import { LmdbKeyValueStore } from '../../../src/state/persistent/lmdb-key-value-store.ts';
import type { StoreIterator } from '../../../src/state/state-store.ts';
import { bytesFor, keyOf } from '../../contract/store-fixture.ts';
import { CacheFixture, HeardChanges } from './cache-fixture.ts';

const fixtures: CacheFixture[] = [];

function open(maxBytes: number, medium: 'memory' | 'persistent' = 'memory', name = 'store') {
  const fixture = new CacheFixture(maxBytes);
  fixtures.push(fixture);
  return { fixture, store: openIn(fixture, medium, name) };
}

function openIn(
  fixture: CacheFixture,
  medium: 'memory' | 'persistent' = 'memory',
  name = 'store',
): CachingKeyValueStore {
  const options = { name, loggingEnabled: true };
  const inner = medium === 'memory' ? new MemoryKeyValueStore(options) : new LmdbKeyValueStore(options);
  const store = new CachingKeyValueStore(inner, 8);
  store.open(fixture.cached);
  return store;
}

afterEach(() => {
  for (const fixture of fixtures.splice(0)) fixture.remove();
});

const keysOf = (iterator: StoreIterator<BinaryKey>): string[] => Array.from(iterator, (entry) => entry.key);
/** What Kafka Streams reckons for a one-byte key, a one-byte value with its timestamp, and a record of topic `in`. */
const ENTRY_BYTES = 1 + 24 + 1 + 1 + 8 + 20 + 2;

describe('a cached key-value store', () => {
  it('writes, logs and tells the last of several puts of a key, once, at the flush', () => {
    const { fixture, store } = open(10_000);
    const heard = new HeardChanges();
    store.setCacheListener(heard, true);
    store.put(keyOf('a'), bytesFor('0'), 1);
    store.flush();
    store.put(keyOf('a'), bytesFor('1'), 5);
    store.put(keyOf('a'), bytesFor('2'), 6);
    expect(fixture.changes).toHaveLength(1);
    expect(store.get(keyOf('a'))?.value).toEqual(bytesFor('2'));
    expect(store.inner.get(keyOf('a'))?.value).toEqual(bytesFor('0'));
    store.flush();
    expect(fixture.changes.map(({ value, timestampMs }) => [value, timestampMs])).toEqual([
      ['0', 1],
      ['2', 6],
    ]);
    expect(heard.changes).toEqual([
      ['a', '0', null, 1],
      ['a', '2', '0', 6],
    ]);
    expect(store.isDirty).toBe(false);
    store.flush();
    expect(heard.changes).toHaveLength(2);
  });

  it('flushes keys in the order of their latest put', () => {
    const { store, fixture } = open(10_000);
    for (const key of ['c', 'a', 'b', 'c']) store.put(keyOf(key), bytesFor('1'), 1);
    store.flush();
    expect(fixture.changes.map((change) => change.key)).toEqual(['a', 'b', 'c']);
  });

  it('leaves no trace of a key that was put and deleted between two flushes, where somebody listens', () => {
    const { store, fixture } = open(10_000);
    const heard = new HeardChanges();
    store.setCacheListener(heard, false);
    store.put(keyOf('a'), bytesFor('1'), 1);
    store.put(keyOf('a'), null, 2);
    store.flush();
    expect([heard.changes, fixture.changes]).toEqual([[], []]);
    expect(store.get(keyOf('a'))).toBeUndefined();
  });

  it('tells a deletion with the time of the record that deleted, and old values only to those who want them', () => {
    const { store, fixture } = open(10_000);
    const heard = new HeardChanges();
    store.setCacheListener(heard, false);
    store.put(keyOf('a'), bytesFor('1'), 1);
    store.flush();
    fixture.timestampMs = 77;
    store.put(keyOf('a'), null, 5);
    fixture.timestampMs = 99;
    store.flush();
    expect(heard.changes).toEqual([
      ['a', '1', null, 1],
      ['a', null, null, 77],
    ]);
    expect(fixture.changes.at(-1)).toMatchObject({ value: null, timestampMs: 77 });
  });

  it('evicts what was used longest ago, and everything dirty with it', () => {
    const { store, fixture } = open(3 * ENTRY_BYTES);
    for (const key of ['a', 'b', 'c']) store.put(keyOf(key), bytesFor('1'), 1);
    expect(store.get(keyOf('a'))).toBeDefined();
    expect(fixture.changes).toEqual([]);
    store.put(keyOf('d'), bytesFor('1'), 1);
    expect(fixture.changes.map((change) => change.key)).toEqual(['b', 'a', 'c', 'd']);
    expect(fixture.thread.sizeBytes).toBe(3 * ENTRY_BYTES);
  });

  it('evicts from the cache that is put into, though another of the thread holds more', () => {
    const { store, fixture } = open(3 * ENTRY_BYTES);
    const other = openIn(fixture, 'memory', 'other');
    for (const key of ['a', 'b', 'c']) store.put(keyOf(key), bytesFor('1'), 1);
    other.put(keyOf('z'), bytesFor('1'), 1);
    expect(fixture.changes.map((change) => [change.store, change.key])).toEqual([['other', 'z']]);
    store.close();
    expect(fixture.thread.sizeBytes).toBe(0);
  });

  it('makes room for what is read, in the middle of the read', () => {
    const { store, fixture } = open(2 * ENTRY_BYTES);
    const heard = new HeardChanges();
    store.setCacheListener(heard, false);
    store.inner.put(keyOf('x'), bytesFor('0'), 1);
    store.put(keyOf('a'), bytesFor('1'), 1);
    store.put(keyOf('b'), bytesFor('2'), 1);
    expect(store.get(keyOf('x'))?.value.latin1Slice()).toBe('0');
    expect(heard.changes.map(([key]) => key)).toEqual(['a', 'b']);
    expect(fixture.recordsSaved).toBe(1);
    expect(fixture.thread.sizeBytes).toBeLessThanOrEqual(fixture.thread.maxBytes);
  });

  it('keeps nothing that somebody reads from outside, so that a query never forwards', () => {
    const { store, fixture } = open(2 * ENTRY_BYTES);
    const heard = new HeardChanges();
    store.setCacheListener(heard, false);
    store.inner.put(keyOf('x'), bytesFor('0'), 1);
    store.put(keyOf('a'), bytesFor('1'), 1);
    store.put(keyOf('b'), bytesFor('2'), 1);
    fixture.isProcessing = false;
    expect(store.get(keyOf('x'))?.value.latin1Slice()).toBe('0');
    expect(heard.changes).toEqual([]);
    expect(fixture.thread.sizeBytes).toBeLessThanOrEqual(fixture.thread.maxBytes);
  });

  it('goes on being read while its listener runs, and takes what the listener puts', () => {
    const { store } = open(10_000);
    const seen: (string | undefined)[] = [];
    store.setCacheListener(
      {
        flushed: (key) => {
          seen.push(store.get(keyOf('b'))?.value.latin1Slice());
          if (key.latin1Slice() === 'a') store.put(keyOf('b'), bytesFor('9'), 9);
        },
      },
      false,
    );
    store.put(keyOf('a'), bytesFor('1'), 1);
    store.put(keyOf('b'), bytesFor('2'), 1);
    store.flush();
    expect(seen).toEqual(['2', '9']);
    expect(store.isDirty).toBe(true);
    store.flush();
    expect(store.inner.get(keyOf('b'))?.value).toEqual(bytesFor('9'));
  });

  it('shows in an open iterator what leaves the cache meanwhile', () => {
    const { store } = open(10_000);
    for (const key of ['a', 'b', 'c']) store.put(keyOf(key), bytesFor('1'), 1);
    const iterator = store.range(undefined, undefined, 'forward');
    expect(iterator.next().value?.key).toBe('a');
    store.flush();
    for (let i = 0; i < 300; i += 1) store.put(keyOf(`z${i}`), bytesFor('1'), 1);
    expect(keysOf(iterator)).toEqual(['b', 'c']);
  });

  it('forgets what was not flushed when it is rolled back or closed', () => {
    const { store, fixture } = open(10_000, 'persistent');
    store.put(keyOf('a'), bytesFor('1'), 1);
    store.flush();
    store.commit(1);
    store.put(keyOf('a'), bytesFor('2'), 2);
    expect(store.rollback()).toBe(true);
    expect(store.get(keyOf('a'))?.value).toEqual(bytesFor('1'));
    store.put(keyOf('a'), bytesFor('3'), 3);
    store.close();
    expect(fixture.thread.sizeBytes).toBe(0);
    expect(fixture.changes).toHaveLength(1);
  });

  const key = fc.constantFrom('', 'a', 'aa', 'ab', 'b', 'a\u0000', 'a\u00ff', '\u00ff');
  const bound = fc.option(key, { nil: undefined });
  const command = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), key, value: fc.string({ maxLength: 9 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('range' as const), from: bound, to: bound, reverse: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('prefix' as const), key }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  );

  it.each(['memory', 'persistent'] as const)('reads like a plain one, whatever its size (%s)', (medium) => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), fc.constantFrom(0, 90, 200, 10_000), (commands, maxBytes) => {
        const { fixture, store } = open(maxBytes, medium);
        const heard = new HeardChanges();
        store.setCacheListener(heard, true);
        const model = new Map<string, string>();
        const expected = (keep: (key: string) => boolean, reverse = false) => {
          const found = [...model].filter(([each]) => keep(each)).sort(([a], [b]) => (a < b ? -1 : 1));
          return reverse ? found.reverse() : found;
        };
        const rows = (iterator: StoreIterator<BinaryKey>) =>
          Array.from(iterator, (entry) => [entry.key, entry.value.latin1Slice()]);
        try {
          for (const step of commands) {
            if (step.do === 'put') {
              const bytes = bytesFor(step.value);
              store.put(keyOf(step.key), bytes, 1);
              model.set(step.key, bytes.latin1Slice());
            } else if (step.do === 'delete') {
              store.put(keyOf(step.key), null, 1);
              model.delete(step.key);
            } else if (step.do === 'get') {
              expect(store.get(keyOf(step.key))?.value.latin1Slice()).toEqual(model.get(step.key));
            } else if (step.do === 'range') {
              const { from, to, reverse } = step;
              const inside = (each: string) => (from === undefined || each >= from) && (to === undefined || each <= to);
              const bounds = [from, to].map((each) => (each === undefined ? undefined : keyOf(each)));
              expect(rows(store.range(bounds[0], bounds[1], reverse ? 'reverse' : 'forward'))).toEqual(
                expected(inside, reverse),
              );
            } else if (step.do === 'prefix') {
              expect(rows(store.prefixScan(keyOf(step.key)))).toEqual(expected((each) => each.startsWith(step.key)));
            } else store.flush();
            expect(fixture.thread.sizeBytes).toBe(
              (store as unknown as { cache: { sizeBytes: number } }).cache.sizeBytes,
            );
          }
          store.flush();
          expect(rows(store.inner.range(undefined, undefined, 'forward'))).toEqual(expected(() => true));
          // Changes follow from each other: the old value is what the listener was told before.
          const told = new Map<string, string | null>();
          for (const [each, newValue, oldValue] of heard.changes) {
            expect(oldValue).toEqual(told.get(each) ?? null);
            told.set(each, newValue);
          }
        } finally {
          store.close();
        }
      }),
      { numRuns: medium === 'memory' ? 300 : 40 },
    );
  });
});
