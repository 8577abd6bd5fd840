import { describe, expect, it } from 'vitest';
import { KeyValueStoreView } from '../../src/query/key-value-store-view.ts';
import { SessionStoreView } from '../../src/query/session-store-view.ts';
import { VersionedStoreView } from '../../src/query/versioned-store-view.ts';
import { WindowStoreView } from '../../src/query/window-store-view.ts';
import { long, string } from '../../src/serde/primitives.ts';
import type { AsyncKeyValueIterator, KeyValueIterator } from '../../src/state/key-value-store.ts';
import type { StoreQuery } from '../../src/state/queries/store-query.ts';
import { Stores } from '../../src/state/stores.ts';
import { collect } from '../support/collect.ts';
import { doorOf, media, openStore, placed } from './views-harness.ts';

const texts = { key: string(), value: string() };
/** More than several pages. */
const MANY = 1_500;
const nameOf = (index: number) => `k${String(index).padStart(5, '0')}`;

/** Each range of the view hands out what the store's own iterator does, in its order. */
async function expectSame(
  ranges: readonly (readonly [AsyncKeyValueIterator<unknown, unknown>, KeyValueIterator<unknown, unknown>])[],
): Promise<void> {
  for (const [asked, own] of ranges) expect(await collect(asked)).toEqual([...own]);
}

describe.each(media)('views of %s stores', (medium) => {
  it('read a key-value store as its task does', async () => {
    const store = openStore(Stores.keyValueStoreBuilder({ name: 's', ...texts, ...placed(medium) }), medium);
    for (let i = 0; i < MANY; i += 1) store.put(nameOf(i), `v${i}`);
    store.put('', 'empty key');
    store.put('k\u0000', 'a zero byte');
    store.delete(nameOf(40));
    const asked: StoreQuery[] = [];
    const view = new KeyValueStoreView<string, string>(
      doorOf([store], (query) => asked.push(query)),
      false,
    );
    expect(await view.get(nameOf(7))).toBe('v7');
    expect(await view.get(nameOf(40))).toBeUndefined();
    expect(await view.get('')).toBe('empty key');
    expect(await view.approximateNumEntries()).toBe(store.approximateNumEntries());
    await expectSame([
      [view.all(), store.all()],
      [view.reverseAll(), store.reverseAll()],
      [view.range(nameOf(100), nameOf(1_300)), store.range(nameOf(100), nameOf(1_300))],
      [view.range(undefined, nameOf(1_300)), store.range(undefined, nameOf(1_300))],
      [view.reverseRange(nameOf(100), nameOf(1_300)), store.reverseRange(nameOf(100), nameOf(1_300))],
      [view.reverseRange(nameOf(100), undefined), store.reverseRange(nameOf(100), undefined)],
      [view.range(nameOf(9), nameOf(3)), store.range(nameOf(9), nameOf(3))],
      [view.prefixScan('k00', string()), store.prefixScan('k00', string())],
      [view.prefixScan('k0003', string()), store.prefixScan('k0003', string())],
      [view.prefixScan('none', string()), store.prefixScan('none', string())],
    ]);
    const pages = asked.filter(({ ask }) => 'page' in ask && ask.page.after !== undefined);
    expect(pages.length).toBeGreaterThan(10);
  });

  it('show the timestamps of a table only to those who ask for them', async () => {
    const store = openStore(Stores.timestampedKeyValueStoreBuilder({ name: 's', ...texts, ...placed(medium) }), medium);
    store.put('a', { value: 'x', timestampMs: 7 });
    const door = doorOf([store]);
    expect(await new KeyValueStoreView(door, false).get('a')).toBe('x');
    expect(await new KeyValueStoreView(door, true).get('a')).toEqual({ value: 'x', timestampMs: 7 });
    expect(await collect(new KeyValueStoreView(door, true).all())).toEqual([...store.all()]);
    expect(await collect(new KeyValueStoreView(door, false).all())).toEqual([{ key: 'a', value: 'x' }]);
    const plain = openStore(Stores.keyValueStoreBuilder({ name: 'p', ...texts, ...placed(medium) }), medium);
    await expect(new KeyValueStoreView(doorOf([plain]), true).get('a')).rejects.toMatchObject({
      code: 'INVALID_STATE_STORE',
      recovery: 'fail',
    });
  });

  it('read a window store as its task does', async () => {
    const windows = { windowSizeMs: 10, retentionMs: 100_000 };
    const builder = Stores.timestampedWindowStoreBuilder({ name: 's', ...texts, ...windows, ...placed(medium) });
    const store = openStore(builder, medium);
    for (let i = 0; i < 600; i += 1) store.put('one', { value: `v${i}`, timestampMs: i }, i * 10);
    for (let i = 0; i < 900; i += 1) store.put(nameOf(i % 300), { value: `w${i}`, timestampMs: i }, i * 5);
    const door = doorOf([store]);
    const view = new WindowStoreView<string, { value: string; timestampMs: number }>(door, true);
    expect(await view.fetch('one', 50)).toEqual({ value: 'v5', timestampMs: 5 });
    expect(await view.fetch('one', 51)).toBeUndefined();
    await expectSame([
      [view.fetch('one', 0, 9_000), store.fetch('one', 0, 9_000)],
      [view.fetch('one', 105, 4_000), store.fetch('one', 105, 4_000)],
      [view.backwardFetch('one', 0, 9_000), store.backwardFetch('one', 0, 9_000)],
      [view.fetch(nameOf(5), 'one', 100, 3_000), store.fetch(nameOf(5), 'one', 100, 3_000)],
      [view.fetch(undefined, nameOf(299), 0, 9_000), store.fetch(undefined, nameOf(299), 0, 9_000)],
      [view.backwardFetch(nameOf(5), 'one', 100, 3_000), store.backwardFetch(nameOf(5), 'one', 100, 3_000)],
      [view.backwardFetch(nameOf(5), undefined, 0, 9_000), store.backwardFetch(nameOf(5), undefined, 0, 9_000)],
      [view.fetchAll(500, 2_500), store.fetchAll(500, 2_500)],
      [view.backwardFetchAll(500, 2_500), store.backwardFetchAll(500, 2_500)],
      [view.all(), store.all()],
      [view.backwardAll(), store.backwardAll()],
    ]);
    const values = new WindowStoreView<string, string>(door, false);
    expect(await values.fetch('one', 50)).toBe('v5');
    expect((await collect(values.all())).map(({ value }) => value)).toEqual(
      [...store.all()].map(({ value }) => value.value),
    );
  });

  it('read a session store as its task does', async () => {
    const builder = Stores.sessionStoreBuilder({ name: 's', ...texts, retentionMs: 1_000_000, ...placed(medium) });
    const store = openStore(builder, medium);
    const put = (key: string, startMs: number, endMs: number) =>
      store.put({ key, window: { startMs, endMs } }, `${key}:${startMs}-${endMs}`);
    // Several of one end, and long ones among short ones.
    for (let i = 0; i < 700; i += 1) put('one', i * 10 - (i % 7 === 0 ? Math.min(i * 10, 2_000) : 0), i * 10 + 5);
    for (let i = 0; i < 700; i += 1) put('one', i * 10 + 1, i * 10 + 5);
    for (let i = 0; i < 900; i += 1) put(nameOf(i % 300), i * 7, i * 7 + (i % 5));
    const view = new SessionStoreView<string, string>(doorOf([store]));
    expect(await view.fetchSession('one', 11, 15)).toBe('one:11-15');
    expect(await view.fetchSession('one', 11, 16)).toBeUndefined();
    await expectSame([
      [view.fetch('one'), store.fetch('one')],
      [view.backwardFetch('one'), store.backwardFetch('one')],
      [view.fetch(nameOf(5), 'one'), store.fetch(nameOf(5), 'one')],
      [view.fetch(undefined, undefined), store.fetch(undefined, undefined)],
      [view.backwardFetch(undefined, undefined), store.backwardFetch(undefined, undefined)],
      [view.backwardFetch(nameOf(5), 'one'), store.backwardFetch(nameOf(5), 'one')],
      [view.findSessions('one', 500, 6_000), store.findSessions('one', 500, 6_000)],
      [view.backwardFindSessions('one', 500, 6_000), store.backwardFindSessions('one', 500, 6_000)],
      [view.findSessions(nameOf(9), undefined, 500, 6_000), store.findSessions(nameOf(9), undefined, 500, 6_000)],
      [
        view.backwardFindSessions(nameOf(9), undefined, 500, 6_000),
        store.backwardFindSessions(nameOf(9), undefined, 500, 6_000),
      ],
    ]);
  });

  it('read a versioned store as its task does', async () => {
    const { store: where } = placed(medium);
    const builder = Stores.versionedKeyValueStoreBuilder({
      name: 's',
      ...texts,
      historyRetentionMs: 100,
      store: where,
    });
    const store = openStore(builder, medium);
    for (const [value, timestampMs] of [
      ['a', 10],
      ['b', 30],
      [null, 50],
      ['c', 60],
    ] as const) {
      store.put('k', value, timestampMs);
    }
    const view = new VersionedStoreView<string, string>(doorOf([store]));
    expect(await view.get('k')).toEqual(store.get('k'));
    for (const asOfMs of [5, 10, 29, 30, 55, 70]) expect(await view.get('k', asOfMs)).toEqual(store.get('k', asOfMs));
    expect(await view.fetch('k', undefined, undefined)).toEqual(store.fetch('k', undefined, undefined));
    expect(await view.fetch('k', 20, 40, 'descending')).toEqual(store.fetch('k', 20, 40, 'descending'));
    expect(await view.fetch('nobody', undefined, undefined)).toEqual([]);
    await expect(view.fetch('k', 9, 3)).rejects.toThrow(RangeError);
  });
});

describe.each(media)('a long range of a %s store', (medium) => {
  /** Keys in no order, so that their order has to be made. */
  const scattered = (index: number) => nameOf((index * 7_919) % 20_011);

  it('is read in pages that do a little each, also where the order of its keys must be made first', async () => {
    const store = openStore(Stores.keyValueStoreBuilder({ name: 's', ...texts, ...placed(medium) }), medium);
    for (let i = 0; i < 20_000; i += 1) store.put(scattered(i), `v${i}`);
    let pages = 0;
    const view = new KeyValueStoreView<string, string>(
      doorOf([store], () => {
        // New keys, and keys that go, while the order is being made.
        if (pages < 5) store.put(`a${pages}`, 'new');
        if (pages < 5) store.delete(nameOf(pages + 1));
        pages += 1;
      }),
      false,
    );
    const found = await collect(view.all());
    expect(found).toEqual([...store.all()]);
    // Entries, and what was done before the first of them.
    expect(pages).toBeGreaterThan(20_000 / 512 + 20_000 / 2_000 - 2);
  });

  it('passes over a limited number of windows and sessions of other times a page', async () => {
    const kept = { retentionMs: 10_000_000, readByTime: true, ...texts, ...placed(medium) };
    const windowed = openStore(Stores.windowStoreBuilder({ name: 'w', windowSizeMs: 10, ...kept }), medium);
    const sessions = openStore(Stores.sessionStoreBuilder({ name: 'x', ...kept }), medium);
    const put = (key: string, startMs: number): void => {
      windowed.put(key, `v${startMs}`, startMs);
      sessions.put({ key, window: { startMs, endMs: startMs + 5 } }, `v${startMs}`);
    };
    // What is asked for lies all over the keys: also in one that sorts before all lists, and where a page stops.
    put('', 500_000);
    for (let i = 0; i < 20_000; i += 1) put(nameOf(i), i % 50 === 48 ? 500_000 : 1_000_000);
    let pages = 0;
    const count = () => {
      pages += 1;
    };
    const windowView = new WindowStoreView<string, string>(doorOf([windowed], count), false);
    const sessionView = new SessionStoreView<string, string>(doorOf([sessions], count));
    const all = [undefined, undefined, 0, 600_000] as const;
    for (const [asked, own] of [
      [windowView.fetchAll(0, 600_000), windowed.fetchAll(0, 600_000)],
      [windowView.backwardFetchAll(0, 600_000), windowed.backwardFetchAll(0, 600_000)],
      [sessionView.findSessions(...all), sessions.findSessions(...all)],
      [sessionView.backwardFindSessions(...all), sessions.backwardFindSessions(...all)],
    ] as const) {
      pages = 0;
      const expected = [...own];
      expect(expected).toHaveLength(401);
      expect(await collect<unknown>(asked)).toEqual(expected);
      // What lies in a cache is looked at as it is found.
      if (medium !== 'cached') expect(pages).toBeGreaterThan(8);
    }
  });
});

describe('a range over deletions that no commit has made durable', () => {
  it('passes over a limited number of them a page', async () => {
    const store = openStore(Stores.keyValueStoreBuilder({ name: 's', ...texts, store: 'persistent' }));
    for (let i = 0; i < 9_000; i += 1) store.put(nameOf(i), 'v');
    store.commit(1);
    for (let i = 0; i < 9_000; i += 1) if (i !== 8_000) store.delete(nameOf(i));
    let pages = 0;
    const view = new KeyValueStoreView<string, string>(
      doorOf([store], () => {
        pages += 1;
      }),
      false,
    );
    for (const asked of [view.all(), view.reverseAll()]) {
      pages = 0;
      expect(await collect(asked)).toEqual([{ key: nameOf(8_000), value: 'v' }]);
      expect(pages).toBeGreaterThanOrEqual(5);
    }
  });
});

describe('views of several partitions', () => {
  it('find a key wherever it is, and put ranges one after another', async () => {
    const stores = [0, 1, 2].map(() =>
      openStore(Stores.keyValueStoreBuilder({ name: 's', ...texts, store: 'memory' })),
    );
    for (let i = 0; i < 300; i += 1) stores[i % 3]?.put(nameOf(i), `v${i}`);
    const view = new KeyValueStoreView<string, string>(doorOf(stores), false);
    expect(await Promise.all([0, 1, 2, 3].map((i) => view.get(nameOf(i))))).toEqual(['v0', 'v1', 'v2', 'v3']);
    expect(await view.approximateNumEntries()).toBe(300);
    expect(await collect(view.reverseAll())).toEqual(stores.flatMap((store) => [...store.reverseAll()]));
  });
});

describe('a read that fails', () => {
  it('rejects with the error of the serde, and no read is harmed by another', async () => {
    const store = openStore(Stores.keyValueStoreBuilder({ name: 's', key: string(), value: long(), store: 'memory' }));
    store.put('good', 1);
    store.bytes.put('poison' as never, Buffer.from('xyz'), 0);
    const view = new KeyValueStoreView<string, number>(doorOf([store]), false);
    const [poison, good] = await Promise.allSettled([view.get('poison'), view.get('good')]);
    expect(poison).toMatchObject({ status: 'rejected', reason: { code: 'DESERIALIZATION' } });
    expect(good).toEqual({ status: 'fulfilled', value: 1 });
    await expect(view.get(null as never)).rejects.toThrow(TypeError);
    await expect(view.prefixScan(null as never, string()).next()).rejects.toThrow(TypeError);
  });

  it('ends the iteration', async () => {
    const store = openStore(Stores.keyValueStoreBuilder({ name: 's', ...texts, store: 'memory' }));
    for (let i = 0; i < MANY; i += 1) store.put(nameOf(i), 'v');
    let queries = 0;
    const view = new KeyValueStoreView<string, string>(
      doorOf([store], () => {
        queries += 1;
        if (queries === 2) throw new Error('gone');
      }),
      false,
    );
    const entries = view.all();
    await expect(collect(entries)).rejects.toThrow('gone');
    expect(await entries.next()).toEqual({ done: true, value: undefined });
    expect(queries).toBe(2);
  });
});

describe('an iteration that is left', () => {
  it('asks for no further page', async () => {
    const store = openStore(Stores.keyValueStoreBuilder({ name: 's', ...texts, store: 'memory' }));
    for (let i = 0; i < MANY; i += 1) store.put(nameOf(i), 'v');
    const asked: StoreQuery[] = [];
    const view = new KeyValueStoreView<string, string>(
      doorOf([store], (query) => asked.push(query)),
      false,
    );
    for await (const { key } of view.all()) if (key === nameOf(3)) break;
    expect(asked).toHaveLength(1);
    await using disposed = view.all();
    await disposed.next();
    const closed = view.all();
    await closed.next();
    closed.close();
    expect(await closed.next()).toEqual({ done: true, value: undefined });
    // Steps that are asked for at once get an entry each, in order, from one page.
    asked.length = 0;
    const steps = view.all();
    const keys = (await Promise.all([steps.next(), steps.next(), steps.next()])).map(({ value }) => value?.key);
    expect(keys).toEqual([nameOf(0), nameOf(1), nameOf(2)]);
    expect(asked).toHaveLength(1);
  });
});
