import type { InspectionEvent, LineYieldEvent, LineYieldState } from '@chip-quality/schemas';
import { derivedId, parseLineKey } from '@chip-quality/schemas';

/** A window before its first board. */
export function emptyLineYield(): LineYieldState {
  return { inspected: 0, passed: 0, failed: 0, errored: 0, defects: {}, trace_id: '', updated_at: 0, counted: [] };
}

/** First-pass yield looks at first attempts that have ended, well or badly. */
export function isFirstResult(event: InspectionEvent | null): boolean {
  if (event === null || event.payload.attempt !== 1) return false;
  return event.event_type === 'inspection.completed' || event.event_type === 'inspection.failed';
}

/**
 * Counts a board once. Events of one origin partition come in the order of their origin offsets, and an event that comes
 * again (a crash upstream) has its offset again, so one mark per partition tells repetitions.
 */
export function countBoard(event: InspectionEvent, state: LineYieldState): LineYieldState {
  const { origin_partition: partition, origin_offset: offset, verdict, defects } = event.payload;
  const mark = state.counted.find((source) => source.partition === partition);
  if (mark !== undefined && offset <= mark.offset) return state;
  const failedInference = event.event_type === 'inspection.failed';
  const perType: Record<string, number> = { ...state.defects };
  for (const { defect_type } of defects) perType[defect_type] = (perType[defect_type] ?? 0) + 1;
  return {
    inspected: state.inspected + (failedInference ? 0 : 1),
    passed: state.passed + (!failedInference && verdict === 'pass' ? 1 : 0),
    failed: state.failed + (!failedInference && verdict === 'fail' ? 1 : 0),
    errored: state.errored + (failedInference ? 1 : 0),
    defects: perType,
    trace_id: event.trace_id,
    updated_at: Math.max(state.updated_at, event.timestamp),
    counted: [...state.counted.filter((source) => source.partition !== partition), { partition, offset }],
  };
}

/** The event that tells a window's present state; the same state has the same event id. */
export function lineYieldEvent(
  key: string,
  window: { readonly startMs: number; readonly endMs: number },
  state: LineYieldState,
): LineYieldEvent {
  const { tenantId, lineId } = parseLineKey(key);
  const { inspected, passed, failed, errored, defects } = state;
  return {
    event_id: derivedId(`line.yield|${key}|${window.startMs}`, inspected + errored),
    event_type: 'line.yield',
    timestamp: state.updated_at,
    trace_id: state.trace_id,
    tenant_id: tenantId,
    payload: {
      line_id: lineId,
      window_start: window.startMs,
      window_end: window.endMs,
      inspected,
      passed,
      failed,
      errored,
      first_pass_yield: inspected === 0 ? null : passed / inspected,
      defects,
    },
  };
}
