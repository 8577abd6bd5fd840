import { afterEach } from 'vitest';
import type { StoreDoor, StoreHolder } from '../../src/query/store-door.ts';
import { answerQuery } from '../../src/state/queries/answer-query.ts';
import type { StoreQuery } from '../../src/state/queries/store-query.ts';
import type { StateStore, StoreBuilder } from '../../src/state/state-store.ts';
import { CacheFixture } from '../state/cache/cache-fixture.ts';

/** Where a store keeps its entries; `cached`: in memory, behind a record cache that holds them all, or `half` of them at most. */
export type Medium = 'memory' | 'persistent' | 'cached' | 'half';
export const media = ['memory', 'persistent', 'cached', 'half'] as const;

const CACHE_BYTES = 1 << 24;
/** A few hundred entries of the tests. */
const SMALL_CACHE_BYTES = 1 << 15;

const opened: { store: StateStore; fixture: CacheFixture }[] = [];

afterEach(() => {
  for (const { store, fixture } of opened.splice(0)) {
    store.close();
    fixture.remove();
  }
});

/** Options of a builder for this medium. */
export function placed(medium: Medium) {
  const cachingEnabled = medium === 'cached' || medium === 'half';
  return { store: medium === 'persistent' ? 'persistent' : 'memory', cachingEnabled } as const;
}

/** An open store of a task that does nothing else, closed after the test. */
export function openStore<S extends StateStore>(builder: StoreBuilder<S>, medium: Medium = 'memory'): S {
  const fixture = new CacheFixture(medium === 'half' ? SMALL_CACHE_BYTES : CACHE_BYTES);
  const store = builder.build(true);
  store.open(fixture.cached);
  opened.push({ store, fixture });
  return store;
}

/** A door to stores that answer at once; `onQuery` is told each query before it is answered. */
export function doorOf(stores: readonly StateStore[], onQuery: (query: StoreQuery) => void = () => {}): StoreDoor {
  const holders: StoreHolder[] = stores.map((store) => ({
    async ask(query) {
      onQuery(query);
      // As if it had travelled between threads: what cannot is an error here.
      return structuredClone(answerQuery(store, structuredClone(query)));
    },
  }));
  return { store: stores[0]?.name ?? '', topic: `app-${stores[0]?.name}-changelog`, holders: () => holders };
}
