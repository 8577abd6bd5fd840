import { expect, test } from 'vitest';
import { LmdbKeyValueStore } from '../../src/state/persistent/lmdb-key-value-store.ts';
import { LmdbSessionStore } from '../../src/state/persistent/lmdb-session-store.ts';
import { LmdbWindowStore } from '../../src/state/persistent/lmdb-window-store.ts';
import { keyValueStoreContract } from '../contract/key-value-store.ts';
import { sessionStoreContract } from '../contract/session-store.ts';
import { bytesFor, keyOf, StoreFixture } from '../contract/store-fixture.ts';
import { windowStoreContract } from '../contract/window-store.ts';

keyValueStoreContract('LmdbKeyValueStore', (options) => new LmdbKeyValueStore(options), true);
windowStoreContract('LmdbWindowStore', (options) => new LmdbWindowStore(options), true);
sessionStoreContract('LmdbSessionStore', (options) => new LmdbSessionStore(options), true);

windowStoreContract(
  'LmdbWindowStore by time',
  (options) => new LmdbWindowStore({ ...options, readByTime: true }),
  true,
);
sessionStoreContract(
  'LmdbSessionStore by time',
  (options) => new LmdbSessionStore({ ...options, readByTime: true }),
  true,
);

test('a store that was made without reading by time learns it, and unlearns it', () => {
  const fixture = new StoreFixture();
  const windows = {
    name: 'windows',
    loggingEnabled: true,
    retentionMs: 100,
    windowSizeMs: 10,
    retainDuplicates: false,
  };
  const sessions = { name: 'sessions', loggingEnabled: true, retentionMs: 100 };
  for (const readByTime of [false, true, false, true]) {
    const windowStore = new LmdbWindowStore({ ...windows, readByTime });
    const sessionStore = new LmdbSessionStore({ ...sessions, readByTime });
    windowStore.open(fixture.context);
    sessionStore.open(fixture.context);
    const suffix = String(fixture.changes.length);
    windowStore.put(keyOf(`b${suffix}`), bytesFor('v'), 5, 5);
    windowStore.put(keyOf(`a${suffix}`), bytesFor('v'), 10, 10);
    sessionStore.put(keyOf(`b${suffix}`), bytesFor('v'), 1, 5, 5);
    sessionStore.put(keyOf(`a${suffix}`), bytesFor('v'), 1, 10, 10);
    const count = fixture.changes.length / 4;
    const starts = [...windowStore.fetchAllByTime(0, 99)].map((entry) => entry.key.windowStartMs);
    expect(starts).toEqual([...Array(count).fill(5), ...Array(count).fill(10)]);
    expect([...windowStore.fetchAll(0, 99, 'forward')]).toHaveLength(2 * count);
    const ends = [...sessionStore.findByEnd(0, 99)].map((entry) => entry.key.endMs);
    expect(ends).toEqual([...Array(count).fill(5), ...Array(count).fill(10)]);
    expect([...sessionStore.findSessionsInRange(undefined, undefined, 0, 99, 'forward')]).toHaveLength(2 * count);
    windowStore.commit(count);
    sessionStore.commit(count);
    windowStore.close();
    sessionStore.close();
  }
  fixture.remove();
});
