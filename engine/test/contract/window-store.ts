import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WindowBytesStoreOptions } from '../../src/state/memory/memory-window-store.ts';
import type { StoreIterator, WindowBytesStore, WindowedBytesKey } from '../../src/state/state-store.ts';
import { direction, expectAgreement, type Made } from './model-agreement.ts';
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

const RETENTION_MS = 100;
const options: WindowBytesStoreOptions = {
  name: 'windows',
  loggingEnabled: true,
  retentionMs: RETENTION_MS,
  windowSizeMs: 10,
  retainDuplicates: false,
};

const key = fc.constantFrom('', 'a', 'a\u0000', 'a\u0000\u0000', 'ab', 'b', '\u00ff');
const time = fc.integer({ min: 0, max: 400 });

const command = fc.oneof(
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
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fetch' as const), key, from: time, to: time, direction }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fetchAll' as const), from: time, to: time, direction }) },
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

    it('never shows a window that was deleted before the iterator came to it, nor what took its place', () => {
      for (const start of [10, 20, 30]) put('k', start, String(start));
      const seen: Row[] = [];
      for (const entry of store.fetch(keyOf('k'), 0, 99, 'forward')) {
        seen.push([entry.key.key, entry.key.windowStartMs, entry.value.latin1Slice(), entry.timestampMs]);
        if (seen.length > 1) continue;
        put('k', 20, null);
        put('other', 20, 'other');
      }
      expect(seen).toEqual([
        ['k', 10, '10', 10],
        ['k', 30, '30', 30],
      ]);
    });

    it('finds the newest window where only the disk has it', () => {
      put('k', 40, 'newest');
      store.commit(1);
      put('other', 10, 'older');
      store.commit(2);
      const newest = [['k', 40, 'newest', 40]];
      for (const reopen of [false, persistent]) {
        if (reopen) reopenAs({});
        expect(store.get(keyOf('k'), 40)?.value).toEqual(bytesFor('newest'));
        expect(rows(store.fetch(keyOf('k'), 40, 40, 'forward'))).toEqual(newest);
        expect(rows(store.fetchAll(40, 99, 'reverse'))).toEqual(newest);
        expect(rows(store.fetchAllByTime(40, 99))).toEqual(newest);
      }
    });

    it('agrees with a naive model over random commands', () => {
      expectAgreement({
        make: () => make(options),
        persistent,
        command,
        empty: () => new Model(),
        copy: (model) => model.copy(),
        run: runCommand,
        compare: (store, model) =>
          expect(rows(store.fetchAll(0, 1_000, 'forward'))).toEqual(model.rows(() => true, 'forward')),
      });
    });
  });
}

class Model {
  #windows: Row[] = [];
  #streamTime = -1;

  copy(): Model {
    const copy = new Model();
    copy.#windows = [...this.#windows];
    copy.#streamTime = this.#streamTime;
    return copy;
  }

  put(key: string, start: number, value: string | null): void {
    this.#streamTime = Math.max(this.#streamTime, start);
    this.#windows = this.#windows.filter((row) => row[0] !== key || row[1] !== start);
    if (value !== null) this.#windows.push([key, start, value, start]);
  }

  /** The live windows that are wanted, by key, then start. */
  rows(keep: (key: string, start: number) => boolean, direction: 'forward' | 'reverse'): Row[] {
    const found = this.#windows.filter((row) => row[1] > this.#streamTime - RETENTION_MS && keep(row[0], row[1]));
    found.sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] < b[0] ? -1 : 1));
    return direction === 'reverse' ? found.reverse() : found;
  }
}

function runCommand(store: WindowBytesStore, model: Model, step: Made<typeof command>): void {
  switch (step.do) {
    case 'put':
      store.put(keyOf(step.key), bytesFor(step.value), step.start, step.start);
      model.put(step.key, step.start, step.value);
      break;
    case 'delete':
      store.put(keyOf(step.key), null, step.start, step.start);
      model.put(step.key, step.start, null);
      break;
    case 'get': {
      const [row] = model.rows((key, start) => key === step.key && start === step.start, 'forward');
      expect(store.get(keyOf(step.key), step.start)?.value.latin1Slice()).toEqual(row?.[2]);
      break;
    }
    case 'fetch':
      expect(rows(store.fetch(keyOf(step.key), step.from, step.to, step.direction))).toEqual(
        model.rows((key, start) => key === step.key && start >= step.from && start <= step.to, step.direction),
      );
      break;
    case 'fetchAll': {
      const isInTime = (_: string, start: number) => start >= step.from && start <= step.to;
      expect(rows(store.fetchAll(step.from, step.to, step.direction))).toEqual(model.rows(isInTime, step.direction));
      expect(rows(store.fetchAllByTime(step.from, step.to))).toEqual(
        model.rows(isInTime, 'forward').sort((a, b) => a[1] - b[1]),
      );
      break;
    }
  }
}
