// A process that is killed: commits round after round of 200 keys, all with the round's number, and the number as offset.
import { binaryKey } from '../../src/base/bytes.ts';
import { systemDisk } from '../../src/base/system-disk.ts';
import { LmdbKeyValueStore } from '../../src/state/persistent/lmdb-key-value-store.ts';
import type { StateStoreContext } from '../../src/state/state-store.ts';

const KEYS_PER_ROUND = 200;
const stateDirectory = process.argv[2] as string;
const store = new LmdbKeyValueStore({ name: 'store', loggingEnabled: false });
store.open({ stateDirectory, disk: systemDisk } as StateStoreContext);
let round = store.restoredOffset ?? 0;
for (;;) {
  round += 1;
  for (let i = 0; i < KEYS_PER_ROUND; i += 1) {
    store.put(binaryKey(Buffer.from(`key-${i}`)), Buffer.from(`${round}`.padStart(100, ' ')), round);
  }
  store.commit(round);
  if (round % 10 === 0) process.stdout.write('.');
}
