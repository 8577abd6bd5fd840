import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { string } from '../../src/serde/primitives.ts';
import { LruKeyValueStore } from '../../src/state/memory/lru-key-value-store.ts';
import { Stores } from '../../src/state/stores.ts';
import { bytesFor, changelogBatch, keyOf, StoreFixture } from '../contract/store-fixture.ts';

describe('a store of limited size', () => {
  let fixture: StoreFixture;
  let store: LruKeyValueStore;

  beforeEach(() => {
    fixture = new StoreFixture();
    store = new LruKeyValueStore({ name: 'store', loggingEnabled: true }, 2);
    store.open(fixture.context);
  });

  afterEach(() => {
    store.close();
    fixture.remove();
  });

  const keys = () => Array.from(store.range(undefined, undefined, 'forward'), (entry) => entry.key);

  it('drops what was used longest ago and logs its deletion before the put', () => {
    store.put(keyOf('a'), bytesFor('1'), 1);
    store.put(keyOf('b'), bytesFor('2'), 2);
    store.get(keyOf('a'));
    fixture.timestampMs = 9;
    store.put(keyOf('c'), bytesFor('3'), 3);
    expect(keys()).toEqual(['a', 'c']);
    expect(fixture.changes.slice(2)).toEqual([
      { store: 'store', key: 'b', value: null, timestampMs: 9 },
      { store: 'store', key: 'c', value: '3', timestampMs: 3 },
    ]);
  });

  it('counts an overwritten key once, and a deleted one not at all', () => {
    store.put(keyOf('a'), bytesFor('1'), 1);
    store.put(keyOf('b'), bytesFor('1'), 1);
    store.put(keyOf('a'), bytesFor('2'), 1);
    store.put(keyOf('b'), null, 1);
    store.put(keyOf('c'), bytesFor('1'), 1);
    expect(keys()).toEqual(['a', 'c']);
    expect(store.approximateNumEntries()).toBe(2);
  });

  it('is restored without logging, the newest entries of the changelog', () => {
    store.restore(
      changelogBatch([
        { key: 'a', value: '1' },
        { key: 'b', value: '2' },
        { key: 'a', value: null },
        { key: 'c', value: '3' },
        { key: 'd', value: '4' },
      ]),
    );
    expect(keys()).toEqual(['c', 'd']);
    expect(fixture.changes).toEqual([]);
  });

  it('is made by Stores.lruMap, which wants a size', () => {
    const options = { name: 'lru', key: string(), value: string() };
    const builder = Stores.lruMap({ ...options, maxCacheSize: 1 });
    const lru = builder.build();
    lru.open(fixture.context);
    lru.put('a', '1');
    lru.put('b', '2');
    expect([lru.get('a'), lru.get('b'), builder.persistent]).toEqual([undefined, '2', false]);
    lru.close();
    expect(() => Stores.lruMap({ ...options, maxCacheSize: 0 })).toThrow(/maxCacheSize/);
  });
});
