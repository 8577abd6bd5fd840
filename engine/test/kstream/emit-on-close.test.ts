import { afterEach, describe, expect, test } from 'vitest';
import {
  EmitStrategy,
  type KTable,
  type Serde,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  sessionWindowed,
  string,
  TimeWindows,
  TopologyError,
  UnlimitedWindows,
  type Windowed,
  windowed,
} from '../../src/index.ts';
import { TopologyTestDriver, type TopologyTestDriverOptions } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };
const onClose = EmitStrategy.onWindowClose();
const concat = (_key: string, value: string, aggregate: string) => aggregate + value;

const open: TopologyTestDriver[] = [];
afterEach(async () => {
  for (const driver of open.splice(0)) await driver.close();
});

type Store = 'memory' | 'persistent';

interface Program {
  readonly serde: Serde<Windowed<string>>;
  readonly table: (builder: StreamsBuilder, store: Store) => KTable<Windowed<string>, string>;
}

function grouped(builder: StreamsBuilder) {
  return builder.stream('in', strings).groupByKey();
}

const tumbling = (windows: TimeWindows, retentionMs?: number): Program => ({
  serde: windowed(string(), windows.sizeMs),
  table: (builder, store) =>
    grouped(builder)
      .windowedBy(windows)
      .emitStrategy(onClose)
      .aggregate(() => '', concat, { value: string(), materialized: { name: 'kept', store, retentionMs } }),
});

const sliding = (windows: SlidingWindows): Program => ({
  serde: windowed(string(), windows.timeDifferenceMs),
  table: (builder, store) =>
    grouped(builder)
      .windowedBy(windows)
      .emitStrategy(onClose)
      .aggregate(() => '', concat, { value: string(), materialized: { name: 'kept', store } }),
});

const sessions = (windows: SessionWindows): Program => ({
  serde: sessionWindowed(string()),
  table: (builder, store) =>
    grouped(builder)
      .windowedBy(windows)
      .emitStrategy(onClose)
      .aggregate(
        () => '',
        concat,
        (_key, aggregate, other) => aggregate + other,
        { value: string(), materialized: { name: 'kept', store } },
      ),
});

function start(program: Program, store: Store = 'memory', options: Partial<TopologyTestDriverOptions> = {}) {
  const builder = new StreamsBuilder();
  program.table(builder, store).toStream().to('out');
  const driver = new TopologyTestDriver(builder.build(), {
    applicationId: 'app',
    windowEmitIntervalMs: 0,
    ...options,
  });
  open.push(driver);
  const input = driver.createInputTopic('in', string(), string());
  const output = driver.createOutputTopic('out', program.serde, string());
  /** Pipes a record and answers `key[start,end]=value@timestamp` of what came out. */
  const pipe = (key: string, value: string, at: number): string[] => {
    input.pipeInput(key, value, at);
    return output.readRecordsToList().map((record) => {
      const { key: inner, window } = record.key as Windowed<string>;
      return `${inner}[${window.startMs},${window.endMs}]=${record.value}@${record.timestampMs}`;
    });
  };
  return { driver, pipe };
}

describe.each(['memory', 'persistent'] as const)('emitted on close from %s stores', (store) => {
  test('a window comes once, with its last value and timestamp, when stream time reaches its end plus grace', () => {
    const { pipe } = start(tumbling(TimeWindows.ofSizeAndGrace(10, 5), 1_000), store);
    expect(pipe('A', 'a', 1)).toEqual([]);
    expect(pipe('A', 'b', 4)).toEqual([]);
    expect(pipe('B', 'x', 14)).toEqual([]);
    expect(pipe('A', 'c', 2)).toEqual([]);
    expect(pipe('B', 'y', 15)).toEqual(['A[0,10]=abc@4']);
    expect(pipe('A', 'late', 3)).toEqual([]);
    expect(pipe('B', 'z', 40)).toEqual(['B[10,20]=xy@15']);
  });

  test('windows that close together come by start, then key', () => {
    const { pipe } = start(tumbling(TimeWindows.ofSizeAndGrace(10, 20).advanceBy(5), 1_000), store);
    for (const [key, at] of [
      ['B', 7],
      ['A', 12],
      ['A', 7],
      ['C', 1],
    ] as const) {
      expect(pipe(key, key.toLowerCase(), at)).toEqual([]);
    }
    expect(pipe('Z', 'z', 100)).toEqual([
      'A[0,10]=a@7',
      'B[0,10]=b@7',
      'C[0,10]=c@1',
      'A[5,15]=aa@12',
      'B[5,15]=b@7',
      'A[10,20]=a@12',
    ]);
  });

  test('no window is lost by a jump of stream time, though the store keeps no longer than it must', () => {
    const { pipe } = start(tumbling(TimeWindows.ofSizeWithNoGrace(10)), store);
    expect(pipe('A', 'a', 5)).toEqual([]);
    expect(pipe('A', 'b', 10)).toEqual(['A[0,10]=a@5']);
    expect(pipe('B', 'c', 12)).toEqual([]);
    expect(pipe('A', 'd', 1_000_000)).toEqual(['A[10,20]=b@10', 'B[10,20]=c@12']);
    expect(pipe('A', 'e', 1_000_010)).toEqual(['A[1000000,1000010]=d@1000000']);
  });

  test('nor is a sliding window or a session', () => {
    const slide = start(sliding(SlidingWindows.ofTimeDifferenceWithNoGrace(10)), store);
    slide.pipe('A', 'a', 20);
    expect(slide.pipe('A', 'b', 25)).toEqual(['A[10,20]=a@20']);
    expect(slide.pipe('A', 'c', 1_000_000)).toEqual(['A[15,25]=ab@25', 'A[21,31]=b@25']);
    const session = start(sessions(SessionWindows.ofInactivityGapWithNoGrace(10)), store);
    session.pipe('A', 'a', 20);
    session.pipe('A', 'b', 25);
    session.pipe('B', 'x', 22);
    expect(session.pipe('A', 'c', 1_000_000)).toEqual(['B[22,22]=x@22', 'A[20,25]=ab@25']);
  });

  test('a session comes when stream time has passed its end by more than gap and grace', () => {
    const { pipe } = start(sessions(SessionWindows.ofInactivityGapAndGrace(5, 2)), store);
    expect(pipe('A', 'a', 10)).toEqual([]);
    expect(pipe('B', 'b', 17)).toEqual([]);
    expect(pipe('A', 'c', 12)).toEqual([]);
    expect(pipe('B', 'd', 19)).toEqual([]);
    expect(pipe('B', 'e', 20)).toEqual(['A[10,12]=ac@12']);
  });
});

describe('the interval', () => {
  test('lets windows wait for a later record', () => {
    const program = tumbling(TimeWindows.ofSizeWithNoGrace(10), 1_000);
    const { driver, pipe } = start(program, 'memory', { windowEmitIntervalMs: 1_000 });
    pipe('A', 'a', 1);
    expect(pipe('A', 'b', 10)).toEqual([]);
    driver.advanceWallClockTimeMs(999);
    expect(pipe('A', 'c', 11)).toEqual([]);
    driver.advanceWallClockTimeMs(1);
    expect(pipe('A', 'd', 12)).toEqual(['A[0,10]=a@1']);
  });

  test('does not keep a window that the store is about to forget', () => {
    const program = tumbling(TimeWindows.ofSizeWithNoGrace(10));
    const { pipe } = start(program, 'memory', { windowEmitIntervalMs: 1_000 });
    pipe('A', 'a', 1);
    expect(pipe('A', 'b', 11)).toEqual(['A[0,10]=a@1']);
    expect(pipe('A', 'c', 30)).toEqual(['A[10,20]=b@11']);
  });
});

test('unlimited windows refuse it, since they never close', () => {
  const stream = grouped(new StreamsBuilder()).windowedBy(UnlimitedWindows.of());
  expect(() => stream.emitStrategy(onClose)).toThrow(TopologyError);
  expect(() => stream.emitStrategy(EmitStrategy.onWindowUpdate())).not.toThrow();
});
