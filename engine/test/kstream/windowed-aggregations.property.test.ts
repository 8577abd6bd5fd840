import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type KTable,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  sessionWindowed,
  string,
  type TimeWindowedKStream,
  TimeWindows,
  type Windowed,
  windowed,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

/** Records in any order, late ones and exact duplicates among them; values tell them apart. */
interface Input {
  readonly key: string;
  readonly at: number;
  readonly value: string;
}

/** A change of a window: [key, start, end, value, timestamp]; value null: deleted. */
type Row = readonly [string, number, number, string | null, number];

const strings = { key: string(), value: string() };
const FORGETS_NOTHING = 1_000_000;

const inputs: fc.Arbitrary<readonly Input[]> = fc
  .array(fc.record({ key: fc.constantFrom('A', 'B'), at: fc.integer({ min: 0, max: 70 }) }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((records) => records.map(({ key, at }, index) => ({ key, at, value: String.fromCharCode(97 + (index % 26)) })));

const joinedText = (_key: string, value: string, aggregate: string) => aggregate + value;

async function run(
  records: readonly Input[],
  table: (builder: StreamsBuilder) => KTable<Windowed<string>, string>,
  serde: ReturnType<typeof sessionWindowed<string>>,
): Promise<Row[]> {
  const builder = new StreamsBuilder();
  table(builder).toStream().to('out');
  const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
  try {
    const input = driver.createInputTopic('in', string(), string());
    const output = driver.createOutputTopic('out', serde, string());
    const rows: Row[] = [];
    for (const { key, at, value } of records) {
      input.pipeInput(key, value, at);
      while (!output.isEmpty) {
        const record = output.readRecord();
        const { window } = record.key as Windowed<string>;
        rows.push([
          (record.key as Windowed<string>).key,
          window.startMs,
          window.endMs,
          record.value,
          record.timestampMs,
        ]);
      }
    }
    return rows;
  } finally {
    await driver.close();
  }
}

/** What a table holds after its changes, by key and start. */
function lastOf(rows: readonly Row[]): Row[] {
  const table = new Map<string, Row>();
  for (const row of rows) {
    if (row[3] === null) table.delete(`${row[0]} ${row[1]} ${row[2]}`);
    else table.set(`${row[0]} ${row[1]} ${row[2]}`, row);
  }
  return sorted([...table.values()]);
}

function sorted(rows: Row[]): Row[] {
  return rows.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1] || a[2] - b[2]));
}

function grouped(builder: StreamsBuilder) {
  return builder.stream('in', strings).groupByKey();
}

function aggregated(stream: TimeWindowedKStream<string, string>): KTable<Windowed<string>, string> {
  return stream.aggregate(() => '', joinedText, {
    value: string(),
    materialized: { name: 'win', store: 'memory', retentionMs: FORGETS_NOTHING },
  });
}

describe('a naive recompute agrees', () => {
  test('with hopping windows, change by change, late records dropped window by window', async () => {
    await fc.assert(
      fc.asyncProperty(
        inputs,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(0, 3, 20),
        async (records, size, advance, grace) => {
          fc.pre(advance <= size);
          const windows = TimeWindows.ofSizeAndGrace(size, grace).advanceBy(advance);
          const actual = await run(
            records,
            (builder) => aggregated(grouped(builder).windowedBy(windows)),
            windowed(string(), size),
          );
          const taken: (Input & { start: number })[] = [];
          const expected: Row[] = [];
          let streamTime = -1;
          for (const record of records) {
            streamTime = Math.max(streamTime, record.at);
            for (let start = 0; start <= record.at; start += advance) {
              if (start + size <= record.at || start + size <= streamTime - grace) continue;
              taken.push({ ...record, start });
              const same = taken.filter((other) => other.key === record.key && other.start === start);
              const timestamp = Math.max(...same.map(({ at }) => at));
              expected.push([record.key, start, start + size, same.map(({ value }) => value).join(''), timestamp]);
            }
          }
          expect(actual).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('with the final content of sliding windows: every window holds exactly the records inside', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, fc.integer({ min: 1, max: 20 }), async (records, difference) => {
        const windows = SlidingWindows.ofTimeDifferenceAndGrace(difference, 1_000);
        const rows = await run(
          records,
          (builder) => aggregated(grouped(builder).windowedBy(windows)),
          windowed(string(), difference),
        );
        const expected: Row[] = [];
        for (const key of ['A', 'B']) {
          const own = records.filter((record) => record.key === key);
          const inside = (start: number) => own.filter(({ at }) => at >= start && at <= start + difference);
          const starts = new Set(own.map(({ at }) => Math.max(0, at - difference)));
          for (const { at } of own) if (inside(at + 1).length > 0) starts.add(at + 1);
          for (const start of starts) {
            const held = inside(start);
            const timestamp = Math.max(...held.map(({ at }) => at));
            expected.push([key, start, start + difference, held.map(({ value }) => value).join(''), timestamp]);
          }
        }
        expect(lastOf(rows)).toEqual(sorted(expected));
      }),
      { numRuns: 100 },
    );
  });

  test('with the final content of sessions: stretches without a gap, whatever the order of arrival', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, fc.integer({ min: 0, max: 12 }), async (records, gap) => {
        const windows = SessionWindows.ofInactivityGapAndGrace(gap, 1_000);
        const rows = await run(
          records,
          (builder) =>
            grouped(builder)
              .windowedBy(windows)
              .aggregate(
                () => '',
                joinedText,
                (_key, aggregate, other) => aggregate + other,
                {
                  value: string(),
                  materialized: { name: 'ses', store: 'memory', retentionMs: FORGETS_NOTHING },
                },
              ),
          sessionWindowed(string()),
        );
        const expected: Row[] = [];
        for (const key of ['A', 'B']) {
          const own = records.filter((record) => record.key === key).sort((a, b) => a.at - b.at);
          let session: Input[] = [];
          const close = () => {
            const [first, last] = [session[0], session.at(-1)];
            if (first === undefined || last === undefined) return;
            const held = session.map(({ value }) => value).sort();
            expected.push([key, first.at, last.at, held.join(''), last.at]);
          };
          for (const record of own) {
            const last = session.at(-1);
            if (last !== undefined && record.at - last.at > gap) {
              close();
              session = [];
            }
            session.push(record);
          }
          close();
        }
        const inAnyOrder = (row: Row): Row => [row[0], row[1], row[2], [...(row[3] ?? '')].sort().join(''), row[4]];
        expect(lastOf(rows).map(inAnyOrder)).toEqual(sorted(expected));
      }),
      { numRuns: 100 },
    );
  });
});
