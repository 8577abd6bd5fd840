import { ratesOf, scoreDetections, sumScores } from '@chip-quality/models';
import type { BoardResult, RunLedger } from '@chip-quality/stations';
import type { FoundDefect, RunVerdict } from './verify-run.ts';

/**
 * The one line that a run ends with. `precision` and `recall` are over the boards whose truth is known (DeepPCB's rule: IoU
 * above 0.33 with a box of the same label), `n/a` where there are none; `p95_ms` is from the first request for a board to its
 * verdict; `per_minute` from the first intent to the last verdict.
 */
export function resultLine(
  ledger: RunLedger,
  verdict: RunVerdict,
  found: ReadonlyMap<string, readonly FoundDefect[]>,
): string {
  const scores = [];
  for (const intent of ledger.intents.values()) {
    if (intent.defects === undefined || !wasJudged(ledger.results.get(intent.index))) continue;
    scores.push(scoreDetections(found.get(`${intent.lotNumber}|${intent.chipId}`) ?? [], intent.defects));
  }
  const { precision, recall } = ratesOf(sumScores(scores));
  const results = [...ledger.results.values()].filter(wasJudged);
  const latencies = results.map(({ latencyMs }) => latencyMs).sort((left, right) => left - right);
  const p95 = latencies[Math.max(0, Math.ceil(latencies.length * 0.95) - 1)];
  // Not spread into arguments: a long run has more boards than a call may have arguments.
  const firstMs = [...ledger.intents.values()].reduce((first, { atMs }) => Math.min(first, atMs), Infinity);
  const lastMs = results.reduce((last, { completedAtMs }) => Math.max(last, completedAtMs), -Infinity);
  const perMinute = results.length / ((lastMs - firstMs) / 60_000);
  const rate = (value: number): string => (scores.length === 0 ? 'n/a' : value.toFixed(3));
  return [
    `boards=${verdict.boards}`,
    `completed=${verdict.completed}`,
    `lost=${verdict.lost}`,
    `duplicated=${verdict.duplicated}`,
    ...(verdict.failed > 0 ? [`failed=${verdict.failed}`] : []),
    ...(verdict.refused > 0 ? [`refused=${verdict.refused}`] : []),
    `precision=${rate(precision)}`,
    `recall=${rate(recall)}`,
    `p95_ms=${p95 === undefined ? 'n/a' : Math.round(p95)}`,
    `per_minute=${results.length === 0 ? 'n/a' : Math.round(perMinute)}`,
  ].join(' ');
}

/** Refused boards were never looked at: they count for no rate. */
function wasJudged(result: BoardResult | undefined): result is BoardResult {
  return result !== undefined && result.status !== 'refused';
}
