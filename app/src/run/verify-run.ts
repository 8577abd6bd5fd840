import type { RunLedger } from '@chip-quality/stations';
import type { Pool } from 'pg';

/** What PostgreSQL says about one run, compared with what its stations wrote down before they sent. */
export interface RunVerdict {
  /** Boards that were to be inspected; of an endless run those that were begun. */
  readonly boards: number;
  /** Boards with a verdict. */
  readonly completed: number;
  /** Boards whose inference failed. */
  readonly failed: number;
  /** Boards whose image the API did not take; their stations know it, and there must be no finished inspection. */
  readonly refused: number;
  /** Intents without exactly one finished inspection, or with results missing in a table. */
  readonly lost: number;
  /** Inspections, completion events, inferences or defects that are there more than once. */
  readonly duplicated: number;
  /** Chip ids behind `lost` and `duplicated`, a sample. */
  readonly suspects: readonly string[];
}

/** A defect as PostgreSQL has it: what the detector said of one place of a board. */
export interface FoundDefect {
  /** The detector's name of the defect. */
  readonly label: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** Left edge of its box, pixels of the board's image. */
  readonly x1: number;
  /** Upper edge of its box. */
  readonly y1: number;
  /** Right edge of its box. */
  readonly x2: number;
  /** Lower edge of its box. */
  readonly y2: number;
}

interface BoardRow {
  readonly lot_number: string;
  readonly chip_id: string;
  readonly id: string;
  readonly status: string;
  readonly completions: string;
  readonly inferences: string;
  readonly predicted: string;
  readonly defects: string;
  readonly distinct_defects: string;
}

/** At most this many suspects are named. */
const SUSPECTS_MAX = 10;

/**
 * Reads a run's boards back from PostgreSQL. `settled` is false while rows may still be on their way (a board that its
 * station saw completed has no row yet): ask again.
 */
export async function verifyRun(pool: Pool, ledger: RunLedger): Promise<{ verdict: RunVerdict; settled: boolean }> {
  const rows = await pool.query<BoardRow>(
    `SELECT l.lot_number, i.chip_id, i.id, i.status,
            (SELECT count(*) FROM inspection_events e WHERE e.inspection_id = i.id
               AND e.event_type IN ('inspection.completed', 'inspection.failed')) AS completions,
            (SELECT count(*) FROM inferences n WHERE n.inspection_id = i.id) AS inferences,
            (SELECT count(*) FROM predictions p WHERE p.inspection_id = i.id) AS predicted,
            (SELECT count(*) FROM defects d WHERE d.inspection_id = i.id) AS defects,
            (SELECT count(*) FROM (SELECT DISTINCT d.defect_type, d.label, d.location::text FROM defects d
               WHERE d.inspection_id = i.id) AS d) AS distinct_defects
       FROM inspections i JOIN lots l ON l.id = i.lot_id
      WHERE l.lot_number LIKE $1`,
    [`%-${ledger.run.id}`],
  );
  const byBoard = new Map<string, BoardRow[]>();
  for (const row of rows.rows) {
    const key = `${row.lot_number}|${row.chip_id}`;
    byBoard.set(key, [...(byBoard.get(key) ?? []), row]);
  }
  let completed = 0;
  let failed = 0;
  let refused = 0;
  let settled = true;
  const lost = new Set<string>();
  const duplicated = new Set<string>();
  for (const intent of ledger.intents.values()) {
    const found = byBoard.get(`${intent.lotNumber}|${intent.chipId}`) ?? [];
    byBoard.delete(`${intent.lotNumber}|${intent.chipId}`);
    const row = found[0];
    if (found.length > 1) duplicated.add(intent.chipId);
    const finished = row !== undefined && (row.status === 'completed' || row.status === 'failed');
    // Each board is inferred once in the demonstration, so every count below is exactly one.
    const stored = finished && Number(row.completions) >= 1 && Number(row.inferences) >= 1;
    if (!finished && ledger.results.get(intent.index)?.status === 'refused') {
      refused += 1;
      continue;
    }
    if (!stored) {
      lost.add(intent.chipId);
      if (ledger.results.has(intent.index)) settled = false;
      continue;
    }
    if (row.status === 'completed') completed += 1;
    else failed += 1;
    if (
      Number(row.completions) > 1 ||
      Number(row.inferences) > 1 ||
      Number(row.defects) !== Number(row.distinct_defects)
    ) {
      duplicated.add(intent.chipId);
    }
  }
  // An inspection that no station intended is as wrong as a second one.
  for (const stray of byBoard.values()) duplicated.add((stray[0] as BoardRow).chip_id);
  return {
    settled,
    verdict: {
      boards: ledger.run.boards ?? ledger.intents.size,
      completed,
      failed,
      refused,
      lost: lost.size + Math.max(0, (ledger.run.boards ?? 0) - ledger.intents.size),
      duplicated: duplicated.size,
      suspects: [...lost, ...duplicated].slice(0, SUSPECTS_MAX),
    },
  };
}

/** What the platform found on each board of a run, by lot and chip id, from PostgreSQL. */
export async function foundDefects(pool: Pool, runId: string): Promise<ReadonlyMap<string, readonly FoundDefect[]>> {
  const rows = await pool.query<{
    lot_number: string;
    chip_id: string;
    label: string;
    confidence: string;
    location: { x: number; y: number; width: number; height: number };
  }>(
    `SELECT l.lot_number, i.chip_id, d.label, d.confidence, d.location
       FROM defects d JOIN inspections i ON i.id = d.inspection_id JOIN lots l ON l.id = i.lot_id
      WHERE l.lot_number LIKE $1`,
    [`%-${runId}`],
  );
  const found = new Map<string, FoundDefect[]>();
  for (const { lot_number, chip_id, label, confidence, location } of rows.rows) {
    const key = `${lot_number}|${chip_id}`;
    const list = found.get(key) ?? [];
    list.push({
      label,
      confidence: Number(confidence),
      x1: location.x,
      y1: location.y,
      x2: location.x + location.width,
      y2: location.y + location.height,
    });
    found.set(key, list);
  }
  return found;
}
