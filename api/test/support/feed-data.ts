import { randomUUID } from 'node:crypto';
import type { BoardView, LineYieldView } from '@chip-quality/schemas';

/** A finished board; faultless unless told otherwise. */
export function board(more: Partial<BoardView> = {}): BoardView {
  return {
    inspection_id: randomUUID(),
    line_id: 'A',
    chip_id: 'chip-1',
    status: 'completed',
    verdict: 'pass',
    defects: [],
    failure_reason: null,
    artifact_id: null,
    completed_at: new Date().toISOString(),
    latency_ms: 420,
    ...more,
  };
}

/** A line's minute. */
export function lineYield(lineId: string, startMs: number, inspected: number, passed: number): LineYieldView {
  return {
    line_id: lineId,
    window_start: new Date(startMs).toISOString(),
    inspected,
    passed,
    failed: inspected - passed,
    errored: 0,
    first_pass_yield: inspected === 0 ? null : passed / inspected,
    defects: inspected === passed ? {} : { open: inspected - passed },
  };
}
