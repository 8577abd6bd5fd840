// A process that is killed: commits round after round of 200 keys, all with the round's number, and the number as offset.
import { binaryKey } from '../../src/base/bytes.ts';
import { systemDisk } from '../../src/base/system-disk.ts';
import { LmdbKeyValueStore } from '../../src/state/persistent/lmdb-key-value-store.ts';
import type { StateStoreContext } from '../../src/state/state-store.ts';

const keysPerRound = 200;
const stateDirectory = process.argv[2] as string;
const store = new LmdbKeyValueStore({ name: 'store', loggingEnabled: false });
store.open({ stateDirectory, disk: systemDisk } as StateStoreContext);
let round = store.restoredOffset ?? 0;
for (;;) {
  round++;
  for (let i = 0; i < keysPerRound; i++) {
    store.put(binaryKey(Buffer.from(`key-${i}`)), Buffer.from(`${round}`.padStart(100, ' ')), round);
  }
  store.commit(round);
  if (round % 10 === 0) process.stdout.write('.');
}
