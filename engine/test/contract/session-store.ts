import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExpiringStoreOptions } from '../../src/state/memory/memory-expiring-store.ts';
import type { SessionBytesKey, SessionBytesStore, StoreIterator } from '../../src/state/state-store.ts';
import { direction, expectAgreement, type Made } from './model-agreement.ts';
import { bytesFor, changelogBatch, keyOf, StoreFixture } from './store-fixture.ts';

/** Key, start, end, value. */
type Row = readonly [string, number, number, string];

function rows(iterator: StoreIterator<SessionBytesKey>): Row[] {
  const all: Row[] = [];
  for (const { key, value } of iterator) all.push([key.key, key.startMs, key.endMs, value.latin1Slice()]);
  return all;
}

const RETENTION_MS = 100;
const END_OF_TIME = Number.MAX_SAFE_INTEGER;
const options: ExpiringStoreOptions = { name: 'sessions', loggingEnabled: true, retentionMs: RETENTION_MS };

const keys = ['', 'a', 'a\u0000', 'a\u0000\u0000', 'ab', 'b', '\u00ff'] as const;
const key = fc.constantFrom(...keys);
const time = fc.integer({ min: 0, max: 400 });
const length = fc.integer({ min: 0, max: 60 });

const command = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      end: time,
      length,
      value: fc.constantFrom('', '1', '22', '333'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), key, pick: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('find' as const), key, end: time, start: time, direction }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('findInRange' as const),
      from: key,
      to: key,
      end: time,
      start: time,
      direction,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('findByEnd' as const), from: time, to: time }) },
);

/** What every bytes session store keeps to. */
export function sessionStoreContract(
  name: string,
  make: (options: ExpiringStoreOptions) => SessionBytesStore,
  persistent: boolean,
): void {
  describe(`${name} (session store contract)`, () => {
    let fixture: StoreFixture;
    let store: SessionBytesStore;

    const put = (key: string, start: number, end: number, value: string | null, timestampMs = end) =>
      store.put(keyOf(key), value === null ? null : bytesFor(value), start, end, timestampMs);
    const all = () => rows(store.findSessionsInRange(undefined, undefined, 0, END_OF_TIME, 'forward'));

    beforeEach(() => {
      fixture = new StoreFixture();
      store = make(options);
      store.open(fixture.context);
    });

    afterEach(() => {
      store.close();
      fixture.remove();
    });

    it('reads one session by its bounds, overwrites it, removes it', () => {
      put('k', 5, 10, '1');
      put('k', 5, 10, '2');
      expect(store.get(keyOf('k'), 5, 10)).toEqual({ value: bytesFor('2'), timestampMs: 10 });
      expect(store.get(keyOf('k'), 6, 10)).toBeUndefined();
      expect(store.get(keyOf('k'), 5, 11)).toBeUndefined();
      put('k', 5, 10, null);
      put('k', 5, 10, null);
      expect(store.get(keyOf('k'), 5, 10)).toBeUndefined();
      expect(all()).toEqual([]);
    });

    it('finds the sessions of a key that reach into a time span, by end, then start, in both directions', () => {
      put('k', 30, 40, 'c');
      put('k', 0, 10, 'a');
      put('k', 15, 20, 'b2');
      put('k', 12, 20, 'b1');
      put('kk', 15, 20, 'other');
      const found = (from: number, to: number, direction: 'forward' | 'reverse') =>
        rows(store.findSessions(keyOf('k'), from, to, direction)).map((row) => row[3]);
      expect(found(0, END_OF_TIME, 'forward')).toEqual(['a', 'b1', 'b2', 'c']);
      expect(found(10, 15, 'forward')).toEqual(['a', 'b1', 'b2']);
      expect(found(11, 14, 'forward')).toEqual(['b1']);
      expect(found(-5, 30, 'reverse')).toEqual(['c', 'b2', 'b1', 'a']);
      expect(found(41, END_OF_TIME, 'forward')).toEqual([]);
    });

    it('orders the sessions of several keys by key, then end; by end when asked so', () => {
      put('b', 0, 5, '1');
      put('a', 10, 20, '2');
      put('a', 0, 5, '3');
      put('c', 3, 8, '4');
      const values = (found: Row[]) => found.map((row) => row[3]);
      expect(values(all())).toEqual(['3', '2', '1', '4']);
      const inRange = rows(store.findSessionsInRange(keyOf('a'), keyOf('b'), 5, 9, 'reverse'));
      expect(values(inRange)).toEqual(['1', '3']);
      expect(values(rows(store.findByEnd(5, 20)))).toEqual(['3', '1', '4', '2']);
      expect(values(rows(store.findByEnd(6, 19)))).toEqual(['4']);
    });

    it('forgets sessions whose end is the retention or more behind the newest end', () => {
      put('k', 0, 10, 'old');
      put('k', 11, 11, 'live');
      put('other', 90, 110, 'new');
      expect(store.observedStreamTimeMs).toBe(110);
      expect(all().map((row) => row[3])).toEqual(['live', 'new']);
      expect(store.get(keyOf('k'), 0, 10)).toBeUndefined();
      expect(rows(store.findByEnd(0, END_OF_TIME)).map((row) => row[3])).toEqual(['live', 'new']);
    });

    it('drops and counts a put that comes too late, but logs it', () => {
      put('k', 0, 200, 'new');
      put('k', 0, 100, 'late');
      expect(all().map((row) => row[3])).toEqual(['new']);
      expect(fixture.counted.map(({ name }) => name)).toEqual(['expired-window-record-drop']);
      expect(fixture.changes).toHaveLength(2);
    });

    it('logs key, end and start, the value, and the timestamp it was given', () => {
      put('k', 1, 258, 'v', 77);
      put('k', 1, 258, null, 78);
      const suffix = '\u0000\u0000\u0000\u0000\u0000\u0000\u0001\u0002\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001';
      expect(fixture.changes).toEqual([
        { store: 'sessions', key: keyOf(`k${suffix}`), value: 'v', timestampMs: 77 },
        { store: 'sessions', key: keyOf(`k${suffix}`), value: null, timestampMs: 78 },
      ]);
    });

    it('restores from its own changelog, and skips rows that are no session keys', () => {
      put('k', 0, 10, 'a');
      put('k', 0, 10, null);
      put('k', 0, 20, 'b');
      put('x', 5, 120, 'c');
      put('', 100, 101, 'd');
      const before = all();
      const log = changelogBatch([{ key: 'short', value: 'x' }, { key: null, value: 'x' }, ...fixture.changes]);
      store.close();
      store = make({ ...options, name: 'restored' });
      store.open(fixture.context);
      store.restore(log, log.count);
      log.buffer.fill(0);
      expect(all()).toEqual(before);
      expect(store.observedStreamTimeMs).toBe(120);
      expect(fixture.changes).toHaveLength(5);
    });

    it('lets the caller write the sessions it iterates over', () => {
      for (const end of [10, 20, 30]) put('k', end - 5, end, 'old');
      const seen: number[] = [];
      for (const { key: found } of store.findSessions(keyOf('k'), 0, 99, 'forward')) {
        const { startMs, endMs } = found;
        seen.push(endMs);
        put('k', startMs, endMs, null);
        put('k', startMs, endMs + 1, 'longer');
      }
      expect(seen.filter((end) => end % 10 === 0)).toEqual([10, 20, 30]);
      expect(all().map((row) => row[2])).toEqual([11, 21, 31]);
    });

    it('never shows a session that was removed before the iterator came to it, nor what took its place', () => {
      for (const end of [10, 20, 30]) put('k', end - 5, end, String(end));
      const seen: string[] = [];
      for (const { key: found, value } of store.findSessions(keyOf('k'), 0, 99, 'forward')) {
        seen.push(`${found.endMs}: ${value.latin1Slice()}`);
        if (seen.length > 1) continue;
        put('k', 15, 20, null);
        put('other', 15, 20, 'other');
      }
      expect(seen).toEqual(['10: 10', '30: 30']);
    });

    it('finds the newest session where only the disk has it', () => {
      put('k', 35, 40, 'newest');
      store.commit(1);
      put('other', 5, 10, 'older');
      store.commit(2);
      for (const reopen of [false, persistent]) {
        if (reopen) {
          store.close();
          store.open(fixture.context);
        }
        expect(store.get(keyOf('k'), 35, 40)?.value).toEqual(bytesFor('newest'));
        for (const found of [
          store.findSessions(keyOf('k'), 40, END_OF_TIME, 'forward'),
          store.findSessionsInRange(undefined, undefined, 40, END_OF_TIME, 'reverse'),
          store.findByEnd(40, END_OF_TIME),
        ]) {
          expect(rows(found).map((row) => row.slice(0, 3))).toEqual([['k', 35, 40]]);
        }
      }
    });

    it('refuses to be used when it is closed', () => {
      store.close();
      expect(() => put('k', 0, 0, 'v')).toThrow(/not open/);
      store.open(fixture.context);
    });

    it('agrees with a naive model over random commands', () => {
      expectAgreement({
        make: () => make(options),
        persistent,
        command,
        empty: () => new Model(),
        copy: (model) => model.copy(),
        run: (store, model, step) => runCommand(store, model, step, persistent),
        compare: (store, model) =>
          expect(rows(store.findSessionsInRange(undefined, undefined, 0, END_OF_TIME, 'forward'))).toEqual(
            model.rows(() => true, 'forward'),
          ),
      });
    });
  });
}

class Model {
  #sessions: Row[] = [];
  #streamTime = -1;

  copy(): Model {
    const copy = new Model();
    copy.#sessions = [...this.#sessions];
    copy.#streamTime = this.#streamTime;
    return copy;
  }

  put(key: string, start: number, end: number, value: string | null): void {
    this.#streamTime = Math.max(this.#streamTime, end);
    this.#sessions = this.#sessions.filter((row) => row[0] !== key || row[1] !== start || row[2] !== end);
    if (value !== null) this.#sessions.push([key, start, end, value]);
  }

  /** The live sessions that are wanted, by key, then end, then start. */
  rows(keep: (row: Row) => boolean, direction: 'forward' | 'reverse'): Row[] {
    const live = (row: Row) => row[2] > this.#streamTime - RETENTION_MS;
    const found = this.#sessions.filter((row) => live(row) && keep(row)).sort(byKey);
    return direction === 'reverse' ? found.reverse() : found;
  }
}

function byKey(a: Row, b: Row): number {
  return a[0] === b[0] ? a[2] - b[2] || a[1] - b[1] : a[0] < b[0] ? -1 : 1;
}

function runCommand(store: SessionBytesStore, model: Model, step: Made<typeof command>, persistent: boolean): void {
  const write = (key: string, start: number, end: number, value: string | null) => {
    store.put(keyOf(key), value === null ? null : bytesFor(value), start, end, end);
    model.put(key, start, end, value);
  };
  switch (step.do) {
    case 'put':
      write(step.key, Math.max(0, step.end - step.length), step.end, step.value);
      break;
    case 'remove': {
      const of = model.rows((row) => row[0] === step.key, 'forward');
      const row = of[step.pick % Math.max(1, of.length)];
      if (row !== undefined) write(row[0], row[1], row[2], null);
      break;
    }
    case 'find': {
      const found = store.findSessions(keyOf(step.key), step.end, step.start, step.direction);
      const wanted = (row: Row) => row[0] === step.key && row[2] >= step.end && row[1] <= step.start;
      expect(rows(found)).toEqual(model.rows(wanted, step.direction));
      break;
    }
    case 'findInRange': {
      const { from, to, end, start, direction } = step;
      const found = store.findSessionsInRange(keyOf(from), keyOf(to), end, start, direction);
      const wanted = (row: Row) => row[0] >= from && row[0] <= to && row[2] >= end && row[1] <= start;
      expect(rows(found)).toEqual(model.rows(wanted, direction));
      break;
    }
    case 'findByEnd': {
      const ended = model.rows((row) => row[2] >= step.from && row[2] <= step.to, 'forward');
      ended.sort((a, b) => a[2] - b[2] || (persistent ? a[1] - b[1] : 0) || byKey(a, b));
      expect(rows(store.findByEnd(step.from, step.to))).toEqual(ended);
      break;
    }
  }
}
