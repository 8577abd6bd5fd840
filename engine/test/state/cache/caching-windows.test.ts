import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CachingSessionStore } from '../../../src/state/cache/caching-session-store.ts';
import { CachingWindowStore } from '../../../src/state/cache/caching-window-store.ts';
import { MemorySessionStore } from '../../../src/state/memory/memory-session-store.ts';
import { MemoryWindowStore } from '../../../src/state/memory/memory-window-store.ts';
import { LmdbWindowStore } from '../../../src/state/persistent/lmdb-window-store.ts';
import type { StoreIterator, WindowedBytesKey } from '../../../src/state/state-store.ts';
import { bytesFor, keyOf } from '../../contract/store-fixture.ts';
import { CacheFixture, HeardChanges } from './cache-fixture.ts';

const key = fc.constantFrom('', 'a', 'a\u0000', 'aa', 'b');
const time = fc.integer({ min: 0, max: 60 });
const puts = fc.array(
  fc.record({
    key,
    startMs: time,
    lengthMs: fc.integer({ min: 0, max: 9 }),
    deletes: fc.boolean(),
    flush: fc.integer({ min: 0, max: 4 }),
  }),
  { maxLength: 25 },
);
const bound = fc.option(key, { nil: undefined });
const reads = fc.record({ key, from: bound, to: bound, a: time, b: time, reverse: fc.boolean() });
const maxBytes = fc.constantFrom(0, 150, 400, 100_000);
const byKeyThen =
  (timeOf: (row: readonly [string, number, number]) => number[]) =>
  (a: readonly [string, number, number], b: readonly [string, number, number]): number => {
    if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
    const [left, right] = [timeOf(a), timeOf(b)];
    return (left[0] as number) - (right[0] as number) || (left[1] as number) - (right[1] as number);
  };

describe('a cached window store', () => {
  it.each([
    ['memory', MemoryWindowStore],
    ['persistent', LmdbWindowStore],
  ] as const)('reads like a plain one, whatever its size (%s)', (_medium, Inner) => {
    fc.assert(
      fc.property(puts, reads, maxBytes, (steps, read, cacheBytes) => {
        const fixture = new CacheFixture(cacheBytes);
        const options = { loggingEnabled: true, retentionMs: 1_000, windowSizeMs: 10, retainDuplicates: false };
        const inner = new Inner({ ...options, name: 'store', readByTime: false });
        const store = new CachingWindowStore(inner, 8);
        store.open(fixture.cached);
        const model = new Map<string, readonly [string, number, number]>();
        try {
          for (const step of steps) {
            store.put(keyOf(step.key), step.deletes ? null : bytesFor('v'), step.startMs, step.startMs);
            const row = [step.key, step.startMs, step.startMs] as const;
            if (step.deletes) model.delete(`${step.key}/${step.startMs}`);
            else model.set(`${step.key}/${step.startMs}`, row);
            if (step.flush === 0) store.flush();
          }
          const rows = (iterator: StoreIterator<WindowedBytesKey>) =>
            Array.from(iterator, (entry) => [entry.key.key, entry.key.windowStartMs, entry.timestampMs]);
          const direction = read.reverse ? 'reverse' : 'forward';
          const [fromMs, toMs] = [Math.min(read.a, read.b), Math.max(read.a, read.b)];
          const expected = (keep: (row: readonly [string, number, number]) => boolean, reverse: boolean) => {
            const found = [...model.values()].filter((row) => keep(row) && row[1] >= fromMs && row[1] <= toMs);
            found.sort(byKeyThen((row) => [row[1], 0]));
            return reverse ? found.reverse() : found;
          };
          expect(rows(store.fetch(keyOf(read.key), fromMs, toMs, direction))).toEqual(
            expected((row) => row[0] === read.key, read.reverse),
          );
          expect(rows(store.fetchAll(fromMs, toMs, direction))).toEqual(expected(() => true, read.reverse));
          const { from, to } = read;
          const [keyFrom, keyTo] = [from, to].map((each) => (each === undefined ? undefined : keyOf(each)));
          expect(rows(store.fetchRange(keyFrom, keyTo, fromMs, toMs, direction))).toEqual(
            expected(
              (row) => (from === undefined || row[0] >= from) && (to === undefined || row[0] <= to),
              read.reverse,
            ),
          );
          expect(rows(store.fetchAllByTime(fromMs, toMs))).toEqual(
            expected(() => true, false).sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1)),
          );
          expect(store.get(keyOf(read.key), read.a) !== undefined).toBe(model.has(`${read.key}/${read.a}`));
        } finally {
          store.close();
          fixture.remove();
        }
      }),
      { numRuns: _medium === 'memory' ? 200 : 40 },
    );
  });
});

describe('a cached session store', () => {
  it('reads like a plain one, whatever its size, and tells a change with the end of the session as its time', () => {
    fc.assert(
      fc.property(puts, reads, maxBytes, (steps, read, cacheBytes) => {
        const fixture = new CacheFixture(cacheBytes);
        const inner = new MemorySessionStore({ name: 'store', loggingEnabled: true, retentionMs: 1_000 });
        const plain = new MemorySessionStore({ name: 'plain', loggingEnabled: false, retentionMs: 1_000 });
        const store = new CachingSessionStore(inner);
        const heard = new HeardChanges();
        store.setCacheListener(heard, true);
        store.open(fixture.cached);
        plain.open(fixture.context);
        try {
          for (const { key, startMs, lengthMs, deletes, flush } of steps) {
            for (const each of [store, plain]) {
              each.put(keyOf(key), deletes ? null : bytesFor('v'), startMs, startMs + lengthMs, startMs + lengthMs);
            }
            if (flush === 0) store.flush();
          }
          const direction = read.reverse ? 'reverse' : 'forward';
          const [from, to] = [read.from, read.to].map((each) => (each === undefined ? undefined : keyOf(each)));
          const found = (each: CachingSessionStore | MemorySessionStore) =>
            [
              each.findSessions(keyOf(read.key), read.a, read.b, direction),
              each.findSessionsInRange(from, to, read.a, read.b, direction),
              each.findByEnd(Math.min(read.a, read.b), Math.max(read.a, read.b)),
            ].map((iterator) => Array.from(iterator, (entry) => ({ ...entry.key })));
          expect(found(store)).toEqual(found(plain));
          store.flush();
          const all = (each: CachingSessionStore | MemorySessionStore) =>
            Array.from(each.findSessionsInRange(undefined, undefined, 0, 1_000, 'forward'), (entry) => ({
              ...entry.key,
            }));
          expect(all(store)).toEqual(all(plain));
          for (const [bytes, , , timestampMs] of heard.changes) {
            expect(Number(Buffer.from(bytes, 'latin1').readBigInt64BE(bytes.length - 16))).toBe(timestampMs);
          }
        } finally {
          store.close();
          plain.close();
          fixture.remove();
        }
      }),
      { numRuns: 200 },
    );
  });
});
