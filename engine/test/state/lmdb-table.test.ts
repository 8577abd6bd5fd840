import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TaskCorruptedError } from '../../src/base/errors.ts';
import { LmdbKeyValueStore } from '../../src/state/persistent/lmdb-key-value-store.ts';
import { LMDB_KEY_BYTES_MAX, LmdbTable, OVERLAY_BYTES_MAX } from '../../src/state/persistent/lmdb-table.ts';
import { LmdbWindowStore } from '../../src/state/persistent/lmdb-window-store.ts';
import { bytesFor, changelogBatch, keyOf, StoreFixture } from '../contract/store-fixture.ts';

describe('Persistent stores', () => {
  let fixture: StoreFixture;

  beforeEach(() => {
    fixture = new StoreFixture();
  });

  afterEach(() => {
    fixture.remove();
  });

  const opened = () => {
    const store = new LmdbKeyValueStore({ name: 'store', loggingEnabled: true });
    store.open(fixture.context);
    return store;
  };

  it('write as they restore, so that a long changelog needs little memory and a crash loses little', () => {
    const store = opened();
    const value = 'x'.repeat(1_000);
    let offset = 0;
    for (let round = 0; round < 10; round += 1) {
      const rows = Array.from({ length: 1_000 }, (_, i) => ({ key: `k${round}-${i}`, value: `${round}${value}` }));
      offset += rows.length;
      store.restore(changelogBatch(rows), offset);
    }
    expect(store.restoredOffset).toBeGreaterThan(0);
    expect(store.restoredOffset).toBeLessThan(offset);
    store.commit(offset);
    expect(store.restoredOffset).toBe(offset);
    expect(store.get(keyOf('k9-999'))?.value[0]).toBe('9'.charCodeAt(0));
    store.close();
  });

  it('keep the offset of the commit before where a commit brings none', () => {
    const store = opened();
    store.put(keyOf('a'), bytesFor('1'), 1);
    store.commit(5);
    store.put(keyOf('a'), bytesFor('2'), 1);
    store.commit(undefined);
    store.close();
    store.open(fixture.context);
    expect(store.restoredOffset).toBe(5);
    expect(store.get(keyOf('a'))?.value).toEqual(bytesFor('2'));
    store.close();
  });

  it('remember an offset without any write', () => {
    const store = opened();
    store.commit(5);
    store.close();
    store.open(fixture.context);
    expect(store.restoredOffset).toBe(5);
    store.close();
  });

  it('ask for a commit when too much is waiting', () => {
    const store = opened();
    const megabytes = Math.ceil(OVERLAY_BYTES_MAX / 1024 / 1024);
    for (let i = 0; i <= megabytes; i += 1) {
      expect(store.wantsCommit).toBe(false);
      store.put(keyOf('same'), Buffer.alloc(1024 * 1024), 1);
    }
    for (let i = 0; i <= megabytes; i += 1) store.put(keyOf(`k${i}`), Buffer.alloc(1024 * 1024), 1);
    expect(store.wantsCommit).toBe(true);
    store.rollback();
    expect(store.wantsCommit).toBe(false);
    store.close();
  });

  it('take keys up to their limit, and say what the limit is', () => {
    const store = opened();
    const longest = keyOf('k'.repeat(LMDB_KEY_BYTES_MAX));
    store.put(longest, bytesFor('1'), 1);
    store.commit(1);
    expect([...store.range(undefined, undefined, 'forward')].length).toBe(1);
    const tooLong = keyOf('k'.repeat(LMDB_KEY_BYTES_MAX + 1));
    expect(store.get(tooLong)).toBeUndefined();
    expect(() => store.put(tooLong, bytesFor('1'), 1)).toThrow(/a key of 4026 bytes; persistent stores take 4025/);
    store.close();
  });

  it('page through what is on disk, in both directions', () => {
    const store = opened();
    const keys = Array.from({ length: 2_000 }, (_, i) => `k${String(i).padStart(4, '0')}`);
    for (const key of keys) store.put(keyOf(key), bytesFor(key), 1);
    store.commit(1);
    store.put(keyOf('k1000'), null, 1);
    store.put(keyOf('k1000+'), bytesFor('new'), 1);
    const expected = keys.map((key) => (key === 'k1000' ? 'k1000+' : key));
    expect(Array.from(store.range(undefined, undefined, 'forward'), (entry) => entry.key)).toEqual(expected);
    expect(Array.from(store.range(undefined, undefined, 'reverse'), (entry) => entry.key)).toEqual(expected.reverse());
    expect(store.approximateNumEntries()).toBe(2_002);
    store.close();
  });

  it('refuse an iterator that outlived a commit', () => {
    const store = opened();
    store.put(keyOf('a'), bytesFor('1'), 1);
    const iterator = store.range(undefined, undefined, 'forward');
    store.commit(1);
    expect(() => iterator.next()).toThrow(/an iterator was used after a commit/);
    store.close();
  });

  it.each([
    ['overwritten', (path: string) => writeFileSync(path, Buffer.alloc(65_536, 0x5a)), /no lmdb file/],
    ['full of zeros', (path: string) => writeFileSync(path, Buffer.alloc(65_536)), /no lmdb file/],
    ['cut off', (path: string) => truncateSync(path, 50_000), /cut off: 50000 of/],
    ['almost gone', (path: string) => truncateSync(path, 100), /100 bytes/],
  ] as const)('ask to be restored when their file is %s, and work after a wipe', (_, damage, message) => {
    let store = opened();
    for (let i = 0; i < 1_000; i += 1) store.put(keyOf(`k${i}`), Buffer.alloc(200), 1);
    store.commit(1);
    store.close();
    damage(join(fixture.stateDirectory, 'store', 'data.mdb'));
    store = new LmdbKeyValueStore({ name: 'store', loggingEnabled: true });
    expect(() => store.open(fixture.context)).toThrow(TaskCorruptedError);
    expect(() => store.open(fixture.context)).toThrow(message);
    expect(store.isOpen).toBe(false);
    store.wipe();
    store.open(fixture.context);
    expect(store.get(keyOf('k1'))).toBeUndefined();
    store.close();
  });

  it('ask to be restored when another version wrote their data', () => {
    const table = new LmdbTable('store');
    table.open(fixture.context);
    table.put(keyOf('a'), bytesFor('1'), 1);
    table.commit(1, { format: 99 });
    table.close();
    const store = new LmdbKeyValueStore({ name: 'store', loggingEnabled: true });
    expect(() => store.open(fixture.context)).toThrow(/store can't be opened/);
    expect(store.isOpen).toBe(false);
  });

  it('remove expired windows from disk, a slice a commit', () => {
    const store = new LmdbWindowStore({
      name: 'windows',
      loggingEnabled: false,
      retentionMs: 1_000,
      windowSizeMs: 10,
      retainDuplicates: false,
    });
    store.open(fixture.context);
    for (let start = 0; start < 20_000; start += 10) {
      store.put(keyOf(`key-${start % 70}`), bytesFor('1'), start, start);
      if (start % 500 === 0) store.commit(start);
    }
    store.commit(20_000);
    store.close();
    const table = new LmdbTable('windows');
    table.open(fixture.context);
    expect(table.keysOnDisk(undefined, 10_000).length).toBeLessThan(250);
    table.close();
  });
});
