import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BinaryKey } from '../../src/base/bytes.ts';
import type { KeyValueBytesStoreOptions } from '../../src/state/memory/memory-key-value-store.ts';
import type { KeyValueBytesStore, StoreIterator } from '../../src/state/state-store.ts';
import { direction, expectAgreement, type Made } from './model-agreement.ts';
import { bytesFor, changelogBatch, keyOf, StoreFixture } from './store-fixture.ts';

/** Row as the tests compare it: key, value, timestamp. */
type Row = readonly [string, string, number];

function rows(iterator: StoreIterator<BinaryKey>): Row[] {
  const all: Row[] = [];
  for (const entry of iterator) all.push([entry.key, entry.value.latin1Slice(), entry.timestampMs]);
  return all;
}

/** Bytes that make trouble: empty, zero, 0xff, one a prefix of another. */
const troubleKey = fc.oneof(
  fc.constantFrom('', 'a', 'aa', 'ab', 'b', '\u0000', 'a\u0000', 'a\u00ff', '\u00ff', '\u00ff\u00ff', 'a\u0001'),
  fc.string({ maxLength: 3, unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
);
const bound = fc.option(troubleKey, { nil: undefined });

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key: troubleKey,
      value: fc.string({ maxLength: 4 }),
      timestampMs: fc.integer({ min: -1, max: 2 ** 42 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key: troubleKey }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('get' as const), key: troubleKey }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('range' as const), from: bound, to: bound, direction }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('prefix' as const), prefix: troubleKey }) },
);

/** What every bytes key-value store keeps to. */
export function keyValueStoreContract(
  name: string,
  make: (options: KeyValueBytesStoreOptions) => KeyValueBytesStore,
  persistent: boolean,
): void {
  describe(`${name} (key-value store contract)`, () => {
    let fixture: StoreFixture;
    let store: KeyValueBytesStore;

    beforeEach(() => {
      fixture = new StoreFixture();
      store = make({ name: 'store', loggingEnabled: true });
      store.open(fixture.context);
    });

    afterEach(() => {
      store.close();
      fixture.remove();
    });

    it('reads what was put, with its timestamp, and nothing after a delete', () => {
      store.put(keyOf('k'), bytesFor('v'), 17);
      expect(store.get(keyOf('k'))).toEqual({ value: bytesFor('v'), timestampMs: 17 });
      store.put(keyOf('k'), null, 18);
      expect(store.get(keyOf('k'))).toBeUndefined();
      expect(rows(store.range(undefined, undefined, 'forward'))).toEqual([]);
    });

    it('keeps an old value readable after it was overwritten', () => {
      store.put(keyOf('k'), bytesFor('old'), 1);
      const old = store.get(keyOf('k'));
      store.put(keyOf('k'), bytesFor('new'), 2);
      expect(old).toEqual({ value: bytesFor('old'), timestampMs: 1 });
    });

    it('tells an empty value from an absent one', () => {
      store.put(keyOf('k'), bytesFor(''), 1);
      expect(store.get(keyOf('k'))?.value).toHaveLength(0);
      expect(rows(store.range(undefined, undefined, 'forward'))).toEqual([['k', '', 1]]);
    });

    it('logs every put and delete in order: a value with its timestamp, a tombstone with that of the record', () => {
      fixture.timestampMs = 20;
      store.put(keyOf('a'), bytesFor('1'), 10);
      store.put(keyOf('a'), null, 11);
      store.put(keyOf('b'), null, 12);
      expect(fixture.changes).toEqual([
        { store: 'store', key: 'a', value: '1', timestampMs: 10 },
        { store: 'store', key: 'a', value: null, timestampMs: 20 },
        { store: 'store', key: 'b', value: null, timestampMs: 20 },
      ]);
    });

    it('logs nothing while it restores, nor when logging is off', () => {
      store.restore(changelogBatch([{ key: 'a', value: '1' }]), 1);
      expect(fixture.changes).toEqual([]);
      const silent = make({ name: 'silent', loggingEnabled: false });
      silent.open(fixture.context);
      silent.put(keyOf('a'), bytesFor('1'), 1);
      silent.close();
      expect(fixture.changes).toEqual([]);
    });

    it('restores the last value of each key with the record timestamp, copied from the batch', () => {
      const batch = changelogBatch([
        { key: 'a', value: '1', timestampMs: 1 },
        { key: 'b', value: '2', timestampMs: 2 },
        { key: null, value: 'no key' },
        { key: 'a', value: '3', timestampMs: 3 },
        { key: 'b', value: null, timestampMs: 4 },
      ]);
      store.restore(batch, 5);
      batch.buffer.fill(0);
      expect(rows(store.range(undefined, undefined, 'forward'))).toEqual([['a', '3', 3]]);
    });

    it('ranges in unsigned byte order, bounds included, and in reverse', () => {
      for (const key of ['b', 'a', '\u00ff', 'a\u0000', '', 'c']) store.put(keyOf(key), bytesFor(key), 1);
      const keys = (iterator: StoreIterator<BinaryKey>) => rows(iterator).map(([key]) => key);
      expect(keys(store.range(undefined, undefined, 'forward'))).toEqual(['', 'a', 'a\u0000', 'b', 'c', '\u00ff']);
      expect(keys(store.range(keyOf('a'), keyOf('b'), 'forward'))).toEqual(['a', 'a\u0000', 'b']);
      expect(keys(store.range(keyOf('a'), keyOf('b'), 'reverse'))).toEqual(['b', 'a\u0000', 'a']);
      expect(keys(store.range(keyOf('c'), undefined, 'reverse'))).toEqual(['\u00ff', 'c']);
      expect(keys(store.range(keyOf('c'), keyOf('a'), 'forward'))).toEqual([]);
      expect(keys(store.prefixScan(keyOf('a')))).toEqual(['a', 'a\u0000']);
      expect(keys(store.prefixScan(keyOf('\u00ff')))).toEqual(['\u00ff']);
    });

    it('iterates over the keys of the moment it started, whatever is written meanwhile', () => {
      for (const key of ['a', 'b', 'c']) store.put(keyOf(key), bytesFor('1'), 1);
      const seen: string[] = [];
      for (const entry of store.range(undefined, undefined, 'forward')) {
        seen.push(entry.key);
        store.put(keyOf(`${entry.key}+`), bytesFor('new'), 2);
        rows(store.range(undefined, undefined, 'forward'));
      }
      expect(seen).toEqual(['a', 'b', 'c']);
      expect(store.get(keyOf('b+'))?.value).toEqual(bytesFor('new'));
    });

    it('ends an iterator that was closed, as often as it is closed', () => {
      store.put(keyOf('a'), bytesFor('1'), 1);
      const iterator = store.range(undefined, undefined, 'forward');
      iterator.close();
      iterator.close();
      expect(iterator.next()).toEqual({ done: true, value: undefined });
    });

    it('refuses to work when it is not open', () => {
      store.close();
      expect(() => store.get(keyOf('a'))).toThrow(/store is not open/);
      expect(() => store.put(keyOf('a'), null, 0)).toThrow(/store is not open/);
      expect(() => store.range(undefined, undefined, 'forward')).toThrow(/store is not open/);
      expect(store.isOpen).toBe(false);
    });

    it(persistent ? 'comes back with the committed state and offset' : 'comes back empty, to be restored', () => {
      store.put(keyOf('a'), bytesFor('1'), 1);
      store.commit(7);
      store.put(keyOf('b'), bytesFor('2'), 2);
      store.close();
      store.open(fixture.context);
      expect(store.restoredOffset).toBe(persistent ? 7 : undefined);
      expect(rows(store.range(undefined, undefined, 'forward'))).toEqual(persistent ? [['a', '1', 1]] : []);
    });

    it('has nothing left after a wipe', () => {
      store.put(keyOf('a'), bytesFor('1'), 1);
      store.commit(7);
      store.close();
      store.wipe();
      store.open(fixture.context);
      expect(store.restoredOffset).toBeUndefined();
      expect(store.get(keyOf('a'))).toBeUndefined();
    });

    it('agrees with a naive model over random commands', () => {
      expectAgreement({
        make: () => make({ name: 'store', loggingEnabled: true }),
        persistent,
        command,
        empty: (): Model => new Map(),
        copy: (model) => new Map(model),
        run: runCommand,
        compare: (store, model) =>
          expect(rows(store.range(undefined, undefined, 'forward'))).toEqual(sorted(model, () => true)),
      });
    });
  });
}

type Model = Map<string, { value: string; timestampMs: number }>;

function sorted(model: Model, keep: (key: string) => boolean): Row[] {
  return [...model]
    .filter(([key]) => keep(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, entry]) => [key, entry.value, entry.timestampMs]);
}

function runCommand(store: KeyValueBytesStore, model: Model, step: Made<typeof command>): void {
  switch (step.do) {
    case 'put':
      store.put(keyOf(step.key), bytesFor(step.value), step.timestampMs);
      model.set(step.key, { value: bytesFor(step.value).latin1Slice(), timestampMs: step.timestampMs });
      break;
    case 'delete':
      store.put(keyOf(step.key), null, 0);
      model.delete(step.key);
      break;
    case 'get': {
      const stored = store.get(keyOf(step.key));
      const found = stored && { value: stored.value.latin1Slice(), timestampMs: stored.timestampMs };
      expect(found).toEqual(model.get(step.key));
      break;
    }
    case 'range': {
      const { from, to } = step;
      const expected = sorted(model, (key) => (from === undefined || key >= from) && (to === undefined || key <= to));
      if (step.direction === 'reverse') expected.reverse();
      const lower = from === undefined ? undefined : keyOf(from);
      const upper = to === undefined ? undefined : keyOf(to);
      expect(rows(store.range(lower, upper, step.direction))).toEqual(expected);
      break;
    }
    case 'prefix':
      expect(rows(store.prefixScan(keyOf(step.prefix)))).toEqual(sorted(model, (key) => key.startsWith(step.prefix)));
      break;
  }
}
