import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryVersionedStore } from '../../src/state/memory/memory-versioned-store.ts';
import { LmdbVersionedStore } from '../../src/state/persistent/lmdb-versioned-store.ts';
import type { VersionedBytesStore } from '../../src/state/versioned/versioned-bytes-store.ts';
import { bytesFor, keyOf, StoreFixture } from '../contract/store-fixture.ts';
import { versionedStoreContract } from '../contract/versioned-store.ts';

versionedStoreContract('MemoryVersionedStore', (options) => new MemoryVersionedStore(options), false);
versionedStoreContract('LmdbVersionedStore', (options) => new LmdbVersionedStore(options), true);

describe('what no read can see any more', () => {
  const options = { name: 'store', loggingEnabled: true, historyRetentionMs: 100, segmentIntervalMs: 10 };
  const keys = Array.from({ length: 500 }, (_, index) => keyOf(`k${index}`));

  /** Each key three values and a deletion; then stream time moves on, with puts of one other key. */
  function fill(store: VersionedBytesStore, commit: () => void): void {
    for (const key of keys) {
      for (let ms = 1; ms <= 3; ms += 1) store.put(key, bytesFor(`v${ms}`), ms);
      store.put(key, null, 4);
    }
    commit();
    for (let ms = 1_000; ms < 2_000; ms += 1) {
      store.put(keyOf('other'), bytesFor(`v${ms}`), ms);
      if (ms % 50 === 0) commit();
    }
    commit();
  }

  let fixture: StoreFixture;
  beforeEach(() => {
    fixture = new StoreFixture();
  });
  afterEach(() => fixture.remove());

  test('is forgotten in memory as puts go on', () => {
    const store = new MemoryVersionedStore(options);
    store.open(fixture.context);
    fill(store, () => store.commit());
    expect(store.approximateNumKeys).toBe(1);
    expect(store.versions(keyOf('other'), 0, 3_000).length).toBeLessThanOrEqual(112);
    store.close();
  });

  test('is forgotten on disk as commits go on', () => {
    const store = new LmdbVersionedStore(options);
    let offset = 0;
    store.open(fixture.context);
    fill(store, () => {
      offset += 1;
      store.commit(offset);
    });
    expect(store.approximateNumRows).toBeLessThan(250);
    expect(keys.every((key) => store.get(key) === undefined)).toBe(true);
    store.close();
  });
});
