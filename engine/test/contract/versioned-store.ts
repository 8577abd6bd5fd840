import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NOT_PUT, VALID_TO_UNDEFINED } from '../../src/index.ts';
import type { StoredVersion, VersionedBytesStore } from '../../src/state/versioned/versioned-bytes-store.ts';
import type { VersionedBytesStoreOptions } from '../../src/state/versioned/versioned-store.ts';
import { expectAgreement, type Made } from './model-agreement.ts';
import { bytesFor, changelogBatch, keyOf, StoreFixture } from './store-fixture.ts';

type Found = readonly [value: string, fromMs: number, toMs: number | undefined] | undefined;

function found(version: StoredVersion | undefined): Found {
  return version && [version.value.latin1Slice(), version.timestampMs, version.validToMs];
}

/**
 * Kafka Streams' segments, told as facts: every version of a key, by time, with the time it ended. A tombstone leaves a mark only
 * where something ended at it, or where it stands for itself.
 */
class ModelKey {
  versions: { fromMs: number; value: string | null; endsBefore: boolean }[] = [];
}

class Model {
  readonly #retentionMs: number;
  readonly #keys = new Map<string, ModelKey>();
  streamTimeMs = -1;

  constructor(retentionMs: number) {
    this.#retentionMs = retentionMs;
  }

  copy(): Model {
    const copy = new Model(this.#retentionMs);
    copy.streamTimeMs = this.streamTimeMs;
    for (const [key, { versions }] of this.#keys) {
      const own = new ModelKey();
      own.versions = versions.map((version) => ({ ...version }));
      copy.#keys.set(key, own);
    }
    return copy;
  }

  put(key: string, value: string | null, fromMs: number): number {
    if (fromMs < this.streamTimeMs - this.#retentionMs) return NOT_PUT;
    this.streamTimeMs = Math.max(this.streamTimeMs, fromMs);
    const entry = this.#keys.get(key) ?? new ModelKey();
    this.#keys.set(key, entry);
    const next = entry.versions.find((version) => version.fromMs > fromMs);
    const same = entry.versions.find((version) => version.fromMs === fromMs);
    if (same !== undefined) {
      // A newest value that nothing ended at goes without a trace.
      if (value === null && next === undefined && same.value !== null && !same.endsBefore) {
        entry.versions = entry.versions.filter((version) => version !== same);
      } else same.value = value;
    } else {
      const before = entry.versions.filter((version) => version.fromMs < fromMs).at(-1);
      const gap = before === undefined || (before.value === null && next === undefined);
      entry.versions.push({ fromMs, value, endsBefore: value === null || !gap });
      entry.versions.sort((a, b) => a.fromMs - b.fromMs);
    }
    return next === undefined ? VALID_TO_UNDEFINED : next.fromMs;
  }

  get(key: string): Found {
    const newest = this.#keys.get(key)?.versions.at(-1);
    return newest === undefined || newest.value === null ? undefined : [newest.value, newest.fromMs, undefined];
  }

  getAsOf(key: string, asOfMs: number): Found {
    const versions = this.#keys.get(key)?.versions ?? [];
    const index = versions.findLastIndex((version) => version.fromMs <= asOfMs);
    const version = versions[index];
    const isNewest = index === versions.length - 1;
    if (version === undefined || version.value === null) return undefined;
    if (!isNewest && asOfMs < this.streamTimeMs - this.#retentionMs) return undefined;
    return [version.value, version.fromMs, versions[index + 1]?.fromMs];
  }
}

const key = fc.constantFrom('', 'a', 'a\u0000', 'a\u0000\u00ff', 'b', '\u00ff');
const timeMs = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20_000 }));
const command = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      value: fc.option(fc.string({ maxLength: 3 }), { freq: 2 }),
      timeMs,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), key, timeMs }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('getAsOf' as const), key, timeMs }) },
);

/** What every bytes versioned store keeps to. */
export function versionedStoreContract(
  name: string,
  make: (options: VersionedBytesStoreOptions) => VersionedBytesStore,
  persistent: boolean,
): void {
  const options = (historyRetentionMs: number): VersionedBytesStoreOptions => ({
    name: 'store',
    loggingEnabled: true,
    historyRetentionMs,
    segmentIntervalMs: 10,
  });

  describe(`${name} (versioned store contract)`, () => {
    let fixture: StoreFixture;
    let store: VersionedBytesStore;
    const put = (value: string | null, timestampMs: number, to = 'k') =>
      store.put(keyOf(to), value === null ? null : bytesFor(value), timestampMs);
    const asOf = (ms: number) => found(store.getAsOf(keyOf('k'), ms));

    beforeEach(() => {
      fixture = new StoreFixture();
      store = make(options(100));
      store.open(fixture.context);
    });

    afterEach(() => {
      if (store.isOpen) store.close();
      fixture.remove();
    });

    it('answers what counted at a time, and until when', () => {
      expect(put('a', 10)).toBe(VALID_TO_UNDEFINED);
      expect(put('b', 20)).toBe(VALID_TO_UNDEFINED);
      expect(asOf(9)).toBeUndefined();
      expect(asOf(10)).toEqual(['a', 10, 20]);
      expect(asOf(19)).toEqual(['a', 10, 20]);
      expect(asOf(20)).toEqual(['b', 20, undefined]);
      expect(store.get(keyOf('k'))).toMatchObject({ timestampMs: 20 });
    });

    it('puts a late value where it belongs and says until when it counts', () => {
      put('c', 30);
      expect(put('a', 10)).toBe(30);
      expect(put('b', 20)).toBe(30);
      expect(asOf(15)).toEqual(['a', 10, 20]);
      expect(asOf(25)).toEqual(['b', 20, 30]);
      expect(store.get(keyOf('k'))?.value.latin1Slice()).toBe('c');
    });

    it('drops a put that is older than the history, counts it, and logs it all the same', () => {
      put('x', 200, 'other');
      expect(put('late', 99)).toBe(NOT_PUT);
      expect(put('edge', 100)).toBe(VALID_TO_UNDEFINED);
      expect(fixture.counted).toHaveLength(1);
      expect(fixture.counted[0]).toMatchObject({ name: 'dropped-records-total' });
      expect(fixture.changes.map(({ value, timestampMs }) => [value, timestampMs])).toEqual([
        ['x', 200],
        ['late', 99],
        ['edge', 100],
      ]);
    });

    it('never forgets the newest value, and nothing else beyond the history', () => {
      put('a', 10);
      put('b', 20);
      put('x', 500, 'other');
      expect(asOf(19)).toBeUndefined();
      expect(asOf(399)).toEqual(['b', 20, undefined]);
      expect(store.get(keyOf('k'))?.value.latin1Slice()).toBe('b');
    });

    it('answers a deletion with what counted then', () => {
      put('a', 10);
      put('c', 30);
      expect(found(store.delete(keyOf('k'), 20))).toEqual(['a', 10, 30]);
      expect(asOf(25)).toBeUndefined();
      expect(asOf(30)).toEqual(['c', 30, undefined]);
    });

    it('lists the versions of a span of time, oldest first', () => {
      put('a', 10);
      put('b', 20);
      put(null, 30);
      put('d', 40);
      const span = (fromMs: number, toMs: number) =>
        store.versions(keyOf('k'), fromMs, toMs).map((version) => found(version));
      expect(span(0, 100)).toEqual([
        ['a', 10, 20],
        ['b', 20, 30],
        ['d', 40, undefined],
      ]);
      expect(span(20, 35)).toEqual([['b', 20, 30]]);
      expect(span(30, 39)).toEqual([]);
    });

    it('lets a late value become the newest where a tombstone left no trace', () => {
      put('a', 10);
      put(null, 10);
      expect(put('late', 5)).toBe(VALID_TO_UNDEFINED);
      expect(store.get(keyOf('k'))?.value.latin1Slice()).toBe('late');
    });

    it('keeps a tombstone that stands for itself against late values', () => {
      put(null, 10);
      expect(put('late', 5)).toBe(10);
      expect(store.get(keyOf('k'))).toBeUndefined();
      expect(asOf(7)).toEqual(['late', 5, 10]);
    });

    it('restores what the puts left, late ones in order', () => {
      store.restore(
        changelogBatch([
          { key: 'k', value: 'b', timestampMs: 20 },
          { key: null, value: 'ignored', timestampMs: 20 },
          { key: 'k', value: 'a', timestampMs: 10 },
          { key: 'k', value: null, timestampMs: 30 },
          { key: 'other', value: 'x', timestampMs: 125 },
          { key: 'k', value: 'too late', timestampMs: 24 },
        ]),
        6,
      );
      expect(fixture.changes).toEqual([]);
      expect(store.get(keyOf('k'))).toBeUndefined();
      expect(asOf(29)).toEqual(['b', 20, 30]);
    });

    it.for([0, 15, 5_000])('does what a naive list of versions does, for any puts and reads (%i ms)', (retentionMs) => {
      expectAgreement({
        make: () => make(options(retentionMs)),
        persistent,
        command,
        empty: () => new Model(retentionMs),
        copy: (model) => model.copy(),
        run: (tested, model, step) => runCommand(tested, model, step, retentionMs),
      });
    });

    it('is not usable before open or after close', () => {
      store.close();
      expect(() => store.get(keyOf('k'))).toThrow('not open');
      expect(() => put('a', 1)).toThrow('not open');
    });
  });
}

function runCommand(store: VersionedBytesStore, model: Model, step: Made<typeof command>, retentionMs: number): void {
  switch (step.do) {
    case 'put': {
      const value = step.value === null ? null : bytesFor(step.value);
      const answer = store.put(keyOf(step.key), value, step.timeMs);
      expect(answer).toBe(model.put(step.key, value === null ? null : value.latin1Slice(), step.timeMs));
      break;
    }
    case 'delete': {
      const expected =
        step.timeMs < model.streamTimeMs - retentionMs ? undefined : model.getAsOf(step.key, step.timeMs);
      expect(found(store.delete(keyOf(step.key), step.timeMs))).toEqual(expected);
      model.put(step.key, null, step.timeMs);
      break;
    }
    case 'get': {
      const stored = store.get(keyOf(step.key));
      expect(stored && [stored.value.latin1Slice(), stored.timestampMs, undefined]).toEqual(model.get(step.key));
      break;
    }
    case 'getAsOf':
      expect(found(store.getAsOf(keyOf(step.key), step.timeMs))).toEqual(model.getAsOf(step.key, step.timeMs));
      break;
  }
}
