import { type InspectionEvent, lineKey, topics } from '@chip-quality/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineYieldFlow } from '../src/index.ts';
import { drive, lifecycle, START_MS, serdes, TENANT } from './support/driver.ts';

function setUp() {
  const driver = drive(lineYieldFlow.build({ serdes, store: 'memory' }), lineYieldFlow.id);
  const input = driver.createInputTopic(topics.inspectionLifecycle, serdes.key, serdes.InspectionEvent);
  const output = driver.createOutputTopic(topics.lineYield, serdes.key, serdes.LineYieldEvent);
  return {
    output,
    put: (event: InspectionEvent) => input.pipeInput(event.payload.inspection_id, event, event.timestamp),
  };
}

const defect = (defect_type: string) => ({
  id: '',
  defect_type,
  label: '',
  severity: 'low',
  x: 0,
  y: 0,
  width: 1,
  height: 1,
  confidence: 1,
  second_opinion: null,
});

test('first attempts are counted per line and minute; passes, fails, errors and defects apart', () => {
  const { put, output } = setUp();
  put(lifecycle({ origin_offset: 1 }));
  put(lifecycle({ origin_offset: 2, verdict: 'fail', defects: [defect('short'), defect('short'), defect('open')] }));
  put(lifecycle({ origin_offset: 3, verdict: null }, { event_type: 'inspection.failed' }));
  put(lifecycle({ origin_offset: 4, attempt: 2 }));
  put(lifecycle({ origin_offset: 5, attempt: 0 }, { event_type: 'inspection.created' }));
  put(lifecycle({ origin_offset: 6, line_id: null }));
  put(lifecycle({ origin_offset: 7 }, { timestamp: START_MS + 60_000 }));
  const updates = output.readRecordsToList();
  expect(updates.map(({ key }) => key)).toEqual([
    lineKey(TENANT, 'line-1'),
    lineKey(TENANT, 'line-1'),
    lineKey(TENANT, 'line-1'),
    lineKey(TENANT, null),
    lineKey(TENANT, 'line-1'),
  ]);
  expect(updates[2]?.value).toMatchObject({
    event_type: 'line.yield',
    tenant_id: TENANT,
    payload: {
      line_id: 'line-1',
      window_start: START_MS,
      window_end: START_MS + 60_000,
      inspected: 2,
      passed: 1,
      failed: 1,
      errored: 1,
      first_pass_yield: 0.5,
      defects: { short: 2, open: 1 },
    },
  });
  expect(updates[4]?.value.payload).toMatchObject({
    window_start: START_MS + 60_000,
    inspected: 1,
    first_pass_yield: 1,
  });
});

test('a minute in which no board got a verdict has no yield', () => {
  const { put, output } = setUp();
  put(lifecycle({ origin_offset: 1, verdict: null }, { event_type: 'inspection.failed' }));
  expect(output.readValuesToList()[0]?.payload).toMatchObject({ inspected: 0, errored: 1, first_pass_yield: null });
});

test('boards of a backlog that is worked off one partition after the other all count in their minutes', () => {
  const { put, output } = setUp();
  const hour = 60;
  for (const origin_partition of [0, 1, 2, 3]) {
    for (let minute = 0; minute < hour; minute += 1) {
      put(lifecycle({ origin_partition, origin_offset: minute }, { timestamp: START_MS + minute * 60_000 }));
    }
  }
  const last = new Map(
    output.readValuesToList().map(({ payload }) => [payload.window_start, payload.inspected] as const),
  );
  expect([...last.values()]).toEqual(Array.from({ length: hour }, () => 4));
});

test('repetitions after a crash upstream never count twice, wherever the crash was', () => {
  const event = fc.record({
    partition: fc.integer({ min: 0, max: 3 }),
    line: fc.constantFrom('line-1', 'line-2'),
    verdict: fc.constantFrom('pass', 'fail'),
    ms: fc.integer({ min: 0, max: 119_999 }),
  });
  const property = fc.property(
    fc.array(event, { maxLength: 30 }),
    fc.array(fc.tuple(fc.nat(29), fc.nat(10)), { maxLength: 4 }),
    (boards, crashes) => {
      const events = boards
        .toSorted((a, b) => a.ms - b.ms)
        .map(({ partition, line, verdict, ms }, origin_offset) =>
          lifecycle(
            { origin_partition: partition, origin_offset, line_id: line, verdict },
            { timestamp: START_MS + ms },
          ),
        );
      const { put, output } = setUp();
      // Each crash sends a stretch of the past again before the stream goes on.
      for (const [at, sent] of events.entries()) {
        put(sent);
        for (const [where, back] of crashes) {
          if (where === at) for (const again of events.slice(Math.max(0, at - back), at + 1)) put(again);
        }
      }
      const last = new Map<string, number>();
      for (const { key, value } of output.readRecordsToList())
        last.set(`${key} ${value.payload.window_start}`, value.payload.inspected);
      const expected = new Map<string, number>();
      for (const { payload, timestamp } of events) {
        const window = START_MS + Math.floor((timestamp - START_MS) / 60_000) * 60_000;
        const key = `${lineKey(TENANT, payload.line_id)} ${window}`;
        expected.set(key, (expected.get(key) ?? 0) + 1);
      }
      expect(last).toEqual(expected);
    },
  );
  fc.assert(property, { numRuns: 40 });
});
