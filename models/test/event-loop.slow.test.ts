import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { generateBoard } from '../src/boards/index.ts';
import { createOnnxEngine } from '../src/index.ts';

/** The thread that sends batches also answers HTTP and heartbeats. */
const DELAY_MS_MAX = 50;
const BATCHES = 12;
const NS_PER_MS = 1e6;

test('the event loop stays free while batches of sixteen are sent one behind the other', async () => {
  const modelDirectory = new URL('../repository/pcb_defect_detector', import.meta.url).pathname;
  const engine = await createOnnxEngine({ modelDirectory });
  const { image, golden } = generateBoard({ seed: 1, partSeed: 1, defective: true });
  const batch = Array.from({ length: 16 }, () => ({ board: image, golden }));
  await engine.infer(batch);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let ahead = engine.infer(batch);
  for (let index = 0; index < BATCHES; index += 1) {
    const current = ahead;
    ahead = engine.infer(batch);
    await current;
  }
  await ahead;
  delay.disable();
  await engine.close();
  expect(delay.percentile(99) / NS_PER_MS).toBeLessThan(DELAY_MS_MAX);
});
