import { lineKey, topics } from '@chip-quality/schemas';
import { StreamsBuilder, TimeWindows, type Topology } from 'millrace';
import { defineFlow } from '../flow.ts';
import type { StatefulFlowPorts } from '../ports.ts';
import { countBoard, emptyLineYield, isFirstResult, lineYieldEvent } from './count-board.ts';

/** Yield is told per minute. */
export const YIELD_WINDOW_MS = 60_000;
/** Windows kept for a page that asks for the last day. */
const YIELD_RETENTION_MS = 24 * 3_600_000;
/**
 * As long as its window is kept, a late board counts. Nothing waits for a window to close, so this costs nothing; and after an
 * outage the partitions are worked off one after the other, the first one's boards making those of all others hours late.
 */
export const YIELD_GRACE_MS = YIELD_RETENTION_MS - YIELD_WINDOW_MS;

/** `inspection.lifecycle` → first-pass yield per line and minute on `line.yield`, an update for every board. */
function buildLineYieldTopology({ serdes, store = 'persistent' }: StatefulFlowPorts): Topology {
  const { key } = serdes;
  const builder = new StreamsBuilder();
  builder
    .stream(topics.inspectionLifecycle, { key, value: serdes.InspectionEvent, name: 'lifecycle' })
    .filter((_id, event) => isFirstResult(event), { name: 'first-results' })
    .groupBy((_id, event) => lineKey(event.tenant_id, event.payload.line_id), {
      key,
      value: serdes.InspectionEvent,
      name: 'by-line',
    })
    .windowedBy(TimeWindows.ofSizeAndGrace(YIELD_WINDOW_MS, YIELD_GRACE_MS))
    .aggregate(emptyLineYield, (_line, event, state) => countBoard(event, state), {
      name: 'count-boards',
      value: serdes.LineYieldState,
      materialized: {
        name: 'line-yield',
        key,
        value: serdes.LineYieldState,
        store,
        retentionMs: YIELD_RETENTION_MS,
      },
    })
    .toStream({ name: 'yields' })
    .map((windowed, state) => [windowed.key, lineYieldEvent(windowed.key, windowed.window, state)] as const, {
      name: 'tell',
    })
    .to(topics.lineYield, { key, value: serdes.LineYieldEvent, name: 'line-yields' });
  return builder.build();
}

/** First-pass yield of each line. */
export const lineYieldFlow = defineFlow({
  id: 'platform-line-yield',
  role: 'worker',
  inputs: [topics.inspectionLifecycle],
  deadLetters: { topic: topics.deadLetters },
  stores: [],
  build: buildLineYieldTopology,
});
