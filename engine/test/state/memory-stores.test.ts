import { MemoryKeyValueStore } from '../../src/state/memory/memory-key-value-store.ts';
import { MemorySessionStore } from '../../src/state/memory/memory-session-store.ts';
import { MemoryWindowStore } from '../../src/state/memory/memory-window-store.ts';
import { keyValueStoreContract } from '../contract/key-value-store.ts';
import { sessionStoreContract } from '../contract/session-store.ts';
import { windowStoreContract } from '../contract/window-store.ts';

keyValueStoreContract('MemoryKeyValueStore', (options) => new MemoryKeyValueStore(options), false);
windowStoreContract('MemoryWindowStore', (options) => new MemoryWindowStore(options), false);
windowStoreContract(
  'MemoryWindowStore by time',
  (options) => new MemoryWindowStore({ ...options, readByTime: true }),
  false,
);
sessionStoreContract('MemorySessionStore', (options) => new MemorySessionStore(options), false);
