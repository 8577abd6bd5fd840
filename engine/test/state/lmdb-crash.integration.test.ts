import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LmdbKeyValueStore } from '../../src/state/persistent/lmdb-key-value-store.ts';
import { StoreFixture } from '../contract/store-fixture.ts';

const writer = fileURLToPath(new URL('../support/lmdb-writer.ts', import.meta.url));
const KILLS = 6;

describe('A persistent store whose process is killed', () => {
  it(`has the state and the offset of one and the same commit, ${KILLS} times in a row`, async () => {
    const fixture = new StoreFixture();
    let lastRound = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = spawn(process.execPath, [writer, fixture.stateDirectory], { stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = once(child, 'exit');
      await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, 37 * kill));
      child.kill('SIGKILL');
      await exited;

      const store = new LmdbKeyValueStore({ name: 'store', loggingEnabled: false });
      store.open(fixture.context);
      const round = store.restoredOffset as number;
      const found = new Set<string>();
      let count = 0;
      for (const entry of store.range(undefined, undefined, 'forward')) {
        found.add(`${entry.value.toString().trim()} at ${entry.timestampMs}`);
        count += 1;
      }
      expect([...found]).toEqual([`${round} at ${round}`]);
      expect(count).toBe(200);
      expect(round).toBeGreaterThan(lastRound);
      lastRound = round;
      store.close();
    }
    fixture.remove();
  });
});
