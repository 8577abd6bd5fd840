import { MemoryVersionedStore } from '../../src/state/memory/memory-versioned-store.ts';
import { LmdbVersionedStore } from '../../src/state/persistent/lmdb-versioned-store.ts';
import { versionedStoreContract } from '../contract/versioned-store.ts';

versionedStoreContract('MemoryVersionedStore', (options) => new MemoryVersionedStore(options), false);
versionedStoreContract('LmdbVersionedStore', (options) => new LmdbVersionedStore(options), true);
