import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunLedger } from '@chip-quality/stations';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resultLine } from '../../src/run/result-line.ts';

const box = { x1: 10, y1: 10, x2: 30, y2: 30 };

describe('the result line', () => {
  let runs: string;
  let ledger: RunLedger;
  beforeEach(async () => {
    runs = await mkdtemp(join(tmpdir(), 'runs-'));
    ledger = await RunLedger.create(runs, { boards: 2, source: 'generated', seed: 1 }, 0);
  });
  afterEach(async () => {
    await ledger.close();
    await rm(runs, { recursive: true, force: true });
  });

  async function board(
    index: number,
    defects: { label: string }[] | undefined,
    status: 'completed' | 'refused' = 'completed',
  ): Promise<void> {
    await ledger.intend({
      index,
      chipId: `c${index}`,
      lotNumber: 'L',
      lineId: 'line-1',
      stationId: 's',
      defects: defects?.map((defect) => ({ ...box, ...defect })),
      atMs: index * 1_000,
    });
    await ledger.finishBoard({
      index,
      inspectionId: `i${index}`,
      status,
      reason: null,
      latencyMs: 100 * (index + 1),
      completedAtMs: index * 1_000 + 500,
    });
  }

  const verdict = { boards: 2, completed: 2, failed: 0, refused: 0, lost: 0, duplicated: 0, suspects: [] };

  it('scores found defects against known ones, label and place', async () => {
    await board(0, [{ label: 'open' }]);
    await board(1, [{ label: 'short' }]);
    const found = new Map([
      ['L|c0', [{ ...box, label: 'open', confidence: 0.9 }]],
      ['L|c1', [{ ...box, label: 'open', confidence: 0.9 }]],
    ]);
    expect(resultLine(ledger, verdict, found)).toBe(
      'boards=2 completed=2 lost=0 duplicated=0 precision=0.500 recall=0.500 p95_ms=200 per_minute=80',
    );
  });

  it('counts boards whose image was refused apart from the rest', async () => {
    await board(0, [{ label: 'open' }]);
    await board(1, [{ label: 'open' }], 'refused');
    const found = new Map([['L|c0', [{ ...box, label: 'open', confidence: 0.9 }]]]);
    expect(resultLine(ledger, { ...verdict, completed: 1, refused: 1 }, found)).toBe(
      'boards=2 completed=1 lost=0 duplicated=0 refused=1 precision=1.000 recall=1.000 p95_ms=100 per_minute=120',
    );
  });

  it('claims no accuracy where nothing is known, and tells failed inspections', async () => {
    await board(0, undefined);
    await board(1, undefined);
    expect(resultLine(ledger, { ...verdict, completed: 1, failed: 1 }, new Map())).toBe(
      'boards=2 completed=1 lost=0 duplicated=0 failed=1 precision=n/a recall=n/a p95_ms=200 per_minute=80',
    );
  });
});
