import type { BoardView, InspectionEvent, LineYieldEvent, LineYieldView } from '@chip-quality/schemas';
import { defectView } from '@chip-quality/topologies';

/** What the live page shows of a line's minute. */
export function lineYieldView({ payload }: LineYieldEvent): LineYieldView {
  return {
    line_id: payload.line_id,
    window_start: new Date(payload.window_start).toISOString(),
    inspected: payload.inspected,
    passed: payload.passed,
    failed: payload.failed,
    errored: payload.errored,
    first_pass_yield: payload.first_pass_yield,
    defects: payload.defects,
  };
}

/** What the live page shows of a finished board; undefined for events of boards that are not finished. */
export function boardView({ event_type, payload }: InspectionEvent): BoardView | undefined {
  if (event_type !== 'inspection.completed' && event_type !== 'inspection.failed') return undefined;
  const completedAtMs = payload.completed_at ?? payload.updated_at;
  return {
    inspection_id: payload.inspection_id,
    line_id: payload.line_id,
    chip_id: payload.chip_id,
    status: event_type === 'inspection.completed' ? 'completed' : 'failed',
    verdict: payload.verdict as BoardView['verdict'],
    defects: payload.defects.map(defectView),
    failure_reason: payload.failure_reason,
    // The detector judges the newest image: on any other one its boxes would lie beside the defects.
    artifact_id: payload.artifact_ids.at(-1) ?? null,
    completed_at: new Date(completedAtMs).toISOString(),
    // Another attempt may come hours later: it is as old as its own request.
    latency_ms: completedAtMs - (payload.attempt > 1 ? (payload.started_at ?? payload.created_at) : payload.created_at),
  };
}
