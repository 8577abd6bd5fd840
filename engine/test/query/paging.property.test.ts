import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyValueStoreView } from '../../src/query/key-value-store-view.ts';
import { SessionStoreView } from '../../src/query/session-store-view.ts';
import { WindowStoreView } from '../../src/query/window-store-view.ts';
import { string } from '../../src/serde/primitives.ts';
import type { AsyncKeyValueIterator, KeyValueIterator } from '../../src/state/key-value-store.ts';
import type { StateStore, StoreBuilder } from '../../src/state/state-store.ts';
import { Stores } from '../../src/state/stores.ts';
import { collect } from '../support/collect.ts';
import { doorOf, type Medium, media, openStore, placed } from './views-harness.ts';

const texts = { key: string(), value: string() };
const KEYS = 40;
const TIMES = 10;
const ALL = KEYS * TIMES;
const nameOf = (index: number) => `k${String(index).padStart(3, '0')}`;
const keyIndex = (index: number) => nameOf(index % KEYS);
const timeIndex = (index: number) => Math.floor(index / KEYS) * 10;

/** Entry number `index` of a store: how to write and delete it, and all of them in order. */
interface Kind<S extends StateStore> {
  readonly builder: (medium: Medium) => StoreBuilder<S>;
  readonly put: (store: S, index: number, value: string | null) => void;
  readonly nameOf: (key: never) => string;
  /** All entries as its task reads them. */
  readonly own: (store: S, backwards: boolean) => KeyValueIterator<never, string>;
  readonly read: (store: S, onQuery: () => void, backwards: boolean) => AsyncKeyValueIterator<never, string>;
}

const windowedName = ({ key, window }: { key: string; window: { startMs: number } }) => `${key}@${window.startMs}`;

const keyValue: Kind<ReturnType<ReturnType<typeof Stores.keyValueStoreBuilder<string, string>>['build']>> = {
  builder: (medium) => Stores.keyValueStoreBuilder({ name: 's', ...texts, ...placed(medium) }),
  put: (store, index, value) => store.put(nameOf(index), value),
  nameOf: (key: string) => key,
  own: (store, backwards) => (backwards ? store.reverseAll() : store.all()) as never,
  read: (store, onQuery, backwards) => {
    const view = new KeyValueStoreView<never, string>(doorOf([store], onQuery), false);
    return backwards ? view.reverseAll() : view.all();
  },
};

const windows: Kind<ReturnType<ReturnType<typeof Stores.windowStoreBuilder<string, string>>['build']>> = {
  builder: (medium) =>
    Stores.windowStoreBuilder({ name: 's', ...texts, windowSizeMs: 10, retentionMs: 10_000, ...placed(medium) }),
  put: (store, index, value) => store.put(keyIndex(index), value, timeIndex(index)),
  nameOf: windowedName as never,
  own: (store, backwards) => (backwards ? store.backwardAll() : store.all()) as never,
  read: (store, onQuery, backwards) => {
    const view = new WindowStoreView<string, string>(doorOf([store], onQuery), false);
    return (backwards ? view.backwardAll() : view.all()) as never;
  },
};

const sessions: Kind<ReturnType<ReturnType<typeof Stores.sessionStoreBuilder<string, string>>['build']>> = {
  builder: (medium) => Stores.sessionStoreBuilder({ name: 's', ...texts, retentionMs: 10_000, ...placed(medium) }),
  // Pairs of one end.
  put: (store, index, value) =>
    store.put(
      {
        key: keyIndex(index),
        window: { startMs: timeIndex(index), endMs: Math.floor(timeIndex(index) / 20) * 20 + 15 },
      },
      value,
    ),
  nameOf: windowedName as never,
  own: (store, backwards) =>
    (backwards ? store.backwardFetch(undefined, undefined) : store.fetch(undefined, undefined)) as never,
  read: (store, onQuery, backwards) => {
    const view = new SessionStoreView<string, string>(doorOf([store], onQuery));
    return (backwards ? view.backwardFetch(undefined, undefined) : view.fetch(undefined, undefined)) as never;
  },
};

const write = fc.record({ index: fc.nat(ALL - 1), value: fc.constantFrom('x', 'y', null) });
const kinds = { 'key-value': keyValue, window: windows, session: sessions } as const;

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('a %s range over several pages', (kind) => {
  it.each(media)('hands out each entry once and in order, whatever is written between pages (%s)', async (medium) => {
    const { builder, put, nameOf: nameOfKey, own, read } = kinds[kind] as unknown as Kind<StateStore>;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(ALL - 1), { minLength: 60, maxLength: ALL }),
        fc.array(fc.array(write, { maxLength: 60 }), { maxLength: 6 }),
        fc.boolean(),
        async (present, writesBetween, backwards) => {
          const store = openStore(builder(medium), medium);
          for (const index of present) put(store, index, 'x');
          const before = [...own(store, backwards)];
          const touched = new Set<string>();
          const queue = [[], ...writesBetween];
          const found = await collect(
            read(
              store,
              () => {
                for (const { index, value } of queue.shift() ?? []) {
                  put(store, index, value);
                  touched.add(kind === 'key-value' ? nameOf(index) : `${keyIndex(index)}@${timeIndex(index)}`);
                }
              },
              backwards,
            ),
          );
          const names = found.map(({ key }) => nameOfKey(key));
          expect(new Set(names).size).toBe(names.length);
          // What nobody touched is all there, in the order of the store.
          const untouched = before.map(({ key }) => nameOfKey(key)).filter((name) => !touched.has(name));
          expect(names.filter((name) => !touched.has(name))).toEqual(untouched);
          // What was touched stands where it belongs.
          const after = [...own(store, backwards)].map(({ key }) => nameOfKey(key));
          expect(after.filter((name) => names.includes(name))).toEqual(names.filter((name) => after.includes(name)));
        },
      ),
      { numRuns: medium === 'persistent' ? 15 : 40 },
    );
  });
});
