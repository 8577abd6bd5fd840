import { LmdbKeyValueStore } from '../../src/state/persistent/lmdb-key-value-store.ts';
import { LmdbSessionStore } from '../../src/state/persistent/lmdb-session-store.ts';
import { LmdbWindowStore } from '../../src/state/persistent/lmdb-window-store.ts';
import { keyValueStoreContract } from '../contract/key-value-store.ts';
import { sessionStoreContract } from '../contract/session-store.ts';
import { windowStoreContract } from '../contract/window-store.ts';

keyValueStoreContract('LmdbKeyValueStore', (options) => new LmdbKeyValueStore(options), true);
windowStoreContract('LmdbWindowStore', (options) => new LmdbWindowStore(options), true);
sessionStoreContract('LmdbSessionStore', (options) => new LmdbSessionStore(options), true);
