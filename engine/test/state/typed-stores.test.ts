import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { long, string } from '../../src/serde/primitives.ts';
import type { KeyValueStore, TimestampedKeyValueStore, ValueAndTimestamp } from '../../src/state/key-value-store.ts';
import { Stores } from '../../src/state/stores.ts';
import type { TimestampedWindowStore } from '../../src/state/window-store.ts';
import { StoreFixture } from '../contract/store-fixture.ts';

describe.each(['memory', 'persistent'] as const)('a typed %s store', (store) => {
  let fixture: StoreFixture;

  beforeEach(() => {
    fixture = new StoreFixture();
  });

  afterEach(() => {
    fixture.remove();
  });

  it('puts, gets, deletes and answers what was there', () => {
    const counts = Stores.keyValueStoreBuilder({ name: 'counts', key: string(), value: long(), store }).build();
    expectTypeOf(counts).toEqualTypeOf<KeyValueStore<string, number>>();
    counts.open(fixture.context);
    counts.put('a', 1);
    expect(counts.putIfAbsent('a', 5)).toBe(1);
    expect(counts.putIfAbsent('b', 5)).toBeUndefined();
    counts.putAll([
      { key: 'c', value: 3 },
      { key: 'a', value: null },
    ]);
    expect(counts.get('a')).toBeUndefined();
    expect(counts.delete('b')).toBe(5);
    expect(counts.delete('b')).toBeUndefined();
    expect([...counts.all()]).toEqual([{ key: 'c', value: 3 }]);
    counts.close();
  });

  it('stamps plain values with the time of the record at hand', () => {
    const counts = Stores.keyValueStoreBuilder({ name: 'counts', key: string(), value: long(), store }).build();
    counts.open(fixture.context);
    fixture.timestampMs = 123;
    counts.put('a', 1);
    expect(counts.bytes.get(fixture.changes[0]?.key as never)?.timestampMs).toBe(123);
    counts.close();
  });

  it('ranges by the serialized key, both ways and by prefix', () => {
    const names = Stores.keyValueStoreBuilder({ name: 'names', key: string(), value: string(), store }).build();
    names.open(fixture.context);
    for (const name of ['line-2', 'line-1', 'part-1', 'é']) names.put(name, name);
    const keys = (entries: Iterable<{ key: string }>) => [...entries].map((entry) => entry.key);
    expect(keys(names.range('line-1', 'line-2'))).toEqual(['line-1', 'line-2']);
    expect(keys(names.reverseRange(undefined, 'line-2'))).toEqual(['line-2', 'line-1']);
    expect(keys(names.reverseAll())).toEqual(['é', 'part-1', 'line-2', 'line-1']);
    expect(keys(names.prefixScan('line-', string()))).toEqual(['line-1', 'line-2']);
    names.close();
  });

  it('closes an iterator that is left early or disposed of', () => {
    const names = Stores.keyValueStoreBuilder({ name: 'names', key: string(), value: string(), store }).build();
    names.open(fixture.context);
    for (const name of ['a', 'b', 'c']) names.put(name, name);
    for (const { key } of names.all()) if (key === 'a') break;
    const iterator = names.all();
    expect(fixture.gauges.get('num-open-iterators')).toBe(1);
    {
      using scoped = iterator;
      expect(scoped.next()).toEqual({ done: false, value: { key: 'a', value: 'a' } });
    }
    expect(iterator.next()).toEqual({ done: true, value: undefined });
    expect(fixture.gauges.get('num-open-iterators')).toBe(0);
    names.close();
  });

  it('keeps timestamps beside the values of a timestamped store', () => {
    const builder = Stores.timestampedKeyValueStoreBuilder({ name: 'latest', key: string(), value: long(), store });
    const latest = builder.build();
    expectTypeOf(latest).toEqualTypeOf<TimestampedKeyValueStore<string, number>>();
    latest.open(fixture.context);
    latest.put('a', { value: 1, timestampMs: 99 });
    expect(latest.get('a')).toEqual({ value: 1, timestampMs: 99 });
    expect(fixture.changes.map((change) => [change.value, change.timestampMs])).toEqual([['\0\0\0\0\0\0\0\u0001', 99]]);
    latest.put('a', null);
    expect(latest.get('a')).toBeUndefined();
    latest.close();
  });

  it('reads windows one by one, by key and time, and all', () => {
    const builder = Stores.timestampedWindowStoreBuilder({
      name: 'per-minute',
      key: string(),
      value: long(),
      retentionMs: 600_000,
      windowSizeMs: 60_000,
      store,
    });
    const perMinute = builder.build();
    expectTypeOf(perMinute).toEqualTypeOf<TimestampedWindowStore<string, number>>();
    perMinute.open(fixture.context);
    expectTypeOf(perMinute.fetch('a', 0)).toEqualTypeOf<ValueAndTimestamp<number> | undefined>();
    perMinute.put('a', { value: 1, timestampMs: 5 }, 0);
    perMinute.put('a', { value: 2, timestampMs: 61_000 }, 60_000);
    perMinute.put('b', { value: 3, timestampMs: 62_000 }, 60_000);
    expect(perMinute.fetch('a', 60_000)).toEqual({ value: 2, timestampMs: 61_000 });
    expect([...perMinute.backwardFetch('a', 0, 60_000)].map((entry) => [entry.key, entry.value.value])).toEqual([
      [60_000, 2],
      [0, 1],
    ]);
    expect([...perMinute.fetchAll(60_000, 60_000)]).toEqual([
      { key: { key: 'a', window: { startMs: 60_000, endMs: 120_000 } }, value: { value: 2, timestampMs: 61_000 } },
      { key: { key: 'b', window: { startMs: 60_000, endMs: 120_000 } }, value: { value: 3, timestampMs: 62_000 } },
    ]);
    expect([...perMinute.all()]).toHaveLength(3);
    perMinute.put('a', null, 0);
    expect([...perMinute.backwardAll()].map((entry) => entry.key.key)).toEqual(['b', 'a']);
    perMinute.close();
  });
});

describe('Stores', () => {
  it('makes builders that say what they will build', () => {
    const builder = Stores.windowStoreBuilder({
      name: 'w',
      key: string(),
      value: long(),
      retentionMs: 20,
      windowSizeMs: 10,
      retainDuplicates: true,
      loggingConfig: { 'retention.ms': '5' },
      cachingEnabled: true,
    });
    expect(builder).toMatchObject({
      name: 'w',
      kind: 'window',
      persistent: true,
      loggingEnabled: true,
      loggingConfig: { 'retention.ms': '5' },
      cachingEnabled: true,
      retentionMs: 20,
      retainDuplicates: true,
      keySerde: string(),
      valueSerde: long(),
    });
    expect(builder.build()).not.toBe(builder.build());
  });

  it.each(['', '..', 'a/b', 'a b', 'x'.repeat(201)])(
    'refuses the name %j, which becomes part of a path and a topic',
    (name) => {
      expect(() => Stores.keyValueStoreBuilder({ name, key: string(), value: long() })).toThrow(/a store name has/);
    },
  );

  it('refuses a retention shorter than the window', () => {
    const options = { name: 'w', key: string(), value: long(), retentionMs: 9, windowSizeMs: 10 };
    expect(() => Stores.windowStoreBuilder(options)).toThrow(/retentionMs must be at least windowSizeMs/);
  });
});
