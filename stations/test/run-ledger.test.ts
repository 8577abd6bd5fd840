import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BoardIntent, RunLedger } from '../src/run-ledger.ts';

const plan = { boards: 10, source: 'generated', seed: 7 };

function intent(index: number): BoardIntent {
  return {
    index,
    chipId: `board-${index}`,
    lotNumber: 'LOT',
    lineId: 'line-1',
    stationId: 's',
    defects: [],
    atMs: 1_000 + index,
  };
}

describe('the run ledger', () => {
  let runs: string;
  beforeEach(async () => {
    runs = await mkdtemp(join(tmpdir(), 'runs-'));
  });
  afterEach(() => rm(runs, { recursive: true, force: true }));

  it('has an intent on the disk when intend resolves', async () => {
    const ledger = await RunLedger.create(runs, plan, 0);
    await Promise.all([ledger.intend(intent(0)), ledger.intend(intent(1)), ledger.intend(intent(2))]);
    const text = await readFile(join(ledger.directory, 'intents.jsonl'), 'utf8');
    expect(text.trim().split('\n')).toHaveLength(3);
    await ledger.close();
  });

  it('resumes with the boards that have no result, oldest first', async () => {
    const ledger = await RunLedger.create(runs, plan, 0);
    for (const index of [0, 1, 2, 3]) await ledger.intend(intent(index));
    for (const index of [0, 2]) {
      await ledger.finishBoard({
        index,
        inspectionId: `i${index}`,
        status: 'completed',
        reason: null,
        latencyMs: 5,
        completedAtMs: 2_000,
      });
    }
    await ledger.close();
    const [resumed] = await RunLedger.unfinished(runs);
    expect(resumed?.run.id).toBe(ledger.run.id);
    expect(resumed?.pending().map(({ index }) => index)).toEqual([1, 3]);
    expect(resumed?.unintended().next().value).toBe(4);
    await resumed?.close();
  });

  it('goes back for boards that a kill left out between others', async () => {
    const ledger = await RunLedger.create(runs, plan, 0);
    for (const index of [0, 3, 1, 5]) await ledger.intend(intent(index));
    await ledger.close();
    const resumed = await RunLedger.open(ledger.directory);
    const fresh = resumed.unintended();
    expect([1, 2, 3, 4].map(() => fresh.next().value)).toEqual([2, 4, 6, 7]);
    await resumed.close();
  });

  it('drops a last line that was torn by a kill, and goes on behind the whole ones', async () => {
    const ledger = await RunLedger.create(runs, plan, 0);
    await ledger.intend(intent(0));
    await ledger.close();
    await appendFile(join(ledger.directory, 'intents.jsonl'), '{"index":1,"chipId":"boa');
    const resumed = await RunLedger.open(ledger.directory);
    expect([...resumed.intents.keys()]).toEqual([0]);
    await resumed.intend(intent(1));
    await resumed.close();
    const again = await RunLedger.open(ledger.directory);
    expect([...again.intents.keys()]).toEqual([0, 1]);
    await again.close();
  });

  it('does not resume a finished run', async () => {
    const ledger = await RunLedger.create(runs, plan, 0);
    await ledger.finish(9);
    await ledger.close();
    expect(await RunLedger.unfinished(runs)).toEqual([]);
  });

  it('knows no runs where nobody ran', async () => {
    expect(await RunLedger.unfinished(join(runs, 'nothing'))).toEqual([]);
  });
});
