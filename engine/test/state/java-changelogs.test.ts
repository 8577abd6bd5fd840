import { describe, expect, it } from 'vitest';
import { MemoryWindowStore } from '../../src/state/memory/memory-window-store.ts';
import { LmdbWindowStore } from '../../src/state/persistent/lmdb-window-store.ts';
import { bytesOf, keyOfHex, StoreFixture } from '../contract/store-fixture.ts';

/** What Kafka Streams 4.3.1 wrote to changelogs: key and value as hex, record timestamp. */
const tumblingCount = [
  ['41000000000000000000000000', '0000000000000001', 2],
  ['43000000000000000000000000', '0000000000000001', 3],
  ['43000000000000000000000000', '0000000000000002', 3],
  ['42000000000000000000000000', '0000000000000001', 4],
] as const;
/** A stream-stream join's store: sequence numbers, also for the null. */
const joinWindow = [
  ['42000000000000000200000001', '6130', 2],
  ['43000000000000000300000002', '6231', 3],
  ['41000000000000000300000003', null, 3],
] as const;

describe.each([
  ['MemoryWindowStore', MemoryWindowStore],
  ['LmdbWindowStore', LmdbWindowStore],
] as const)('%s writes the changelog bytes of Kafka Streams', (_, Store) => {
  it.each([
    ['of a windowed count', false, tumblingCount],
    ['of a join window', true, joinWindow],
  ] as const)('%s', (_name, retainDuplicates, expected) => {
    const fixture = new StoreFixture();
    const store = new Store({
      name: 'win',
      loggingEnabled: true,
      retentionMs: 100_000,
      windowSizeMs: 10,
      retainDuplicates,
    });
    store.open(fixture.context);
    for (const [key, value, timestampMs] of expected) {
      const start = Number.parseInt(key.slice(-24, -8), 16);
      fixture.timestampMs = timestampMs;
      store.put(keyOfHex(key.slice(0, -24)), value === null ? null : Buffer.from(value, 'hex'), start, timestampMs);
    }
    const written = fixture.changes.map((change) => [
      bytesOf(change.key).toString('hex'),
      change.value === null ? null : Buffer.from(change.value, 'latin1').toString('hex'),
      change.timestampMs,
    ]);
    expect(written).toEqual(expected);
    store.close();
    fixture.remove();
  });
});
