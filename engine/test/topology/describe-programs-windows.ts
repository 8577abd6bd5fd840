import {
  BufferConfig,
  EmitStrategy,
  type KStream,
  long,
  SessionWindows,
  SlidingWindows,
  type StreamsBuilder,
  Suppressed,
  string,
  TimeWindows,
  UnlimitedWindows,
} from '../../src/index.ts';

const strings = { key: string(), value: string() };
const concat = (_key: string, value: string, aggregate: string) => aggregate + value;
const empty = () => '';
const merge = (_key: string, aggregate: string, other: string) => aggregate + other;
const second = (_first: string, other: string) => other;
const keyed = (b: StreamsBuilder): KStream<string, string> => b.stream('in', strings).selectKey((_k, v) => v);

/** Windows, sessions, cogroups and suppression: `windows()` of `vectors/java/DescribeVectors.java`. */
export const windowPrograms: { readonly [name: string]: (builder: StreamsBuilder) => void } = {
  sessions: (b) => {
    const sessions = keyed(b).groupByKey(strings).windowedBy(SessionWindows.ofInactivityGapWithNoGrace(10));
    sessions.count();
    sessions.reduce(second, { name: 'red', materialized: strings });
    sessions.aggregate(empty, concat, merge, { materialized: { ...strings, name: 'ses' } });
    sessions
      .aggregate(empty, concat, merge, { name: 'agg', materialized: strings })
      .toStream()
      .foreach(() => {});
    sessions.count({ name: 'cnt' });
    sessions.count({ materialized: { key: string() } });
  },
  sliding: (b) => {
    const sliding = keyed(b)
      .groupByKey({ ...strings, name: 'grp' })
      .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(10, 5));
    sliding.count();
    sliding.reduce(second);
    sliding.aggregate(empty, concat, { name: 'agg', materialized: { ...strings, name: 'st' } });
    sliding.count({ materialized: { key: string() } });
  },
  'other-windows': (b) => {
    const group = b.stream('in', strings).groupByKey();
    group.windowedBy(UnlimitedWindows.of()).count();
    group
      .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
      .emitStrategy(EmitStrategy.onWindowClose())
      .count({ name: 'closed' })
      .toStream({ name: 'str' });
    group.windowedBy(TimeWindows.ofSizeWithNoGrace(10)).count({ materialized: { key: string() } });
    group.windowedBy(TimeWindows.ofSizeWithNoGrace(10)).aggregate(empty, concat, { name: 'agg', value: string() });
  },
  cogroups: (b) => {
    const left = b.stream('l', strings).groupByKey();
    const right = b
      .stream('r', strings)
      .selectKey((_k, v) => v)
      .groupByKey(strings);
    const named = b.stream('n', strings).groupBy((_k, v) => v, { ...strings, name: 'grp' });
    const two = left.cogroup(concat).cogroup(right, concat);
    two.aggregate(empty, { value: string() });
    two.aggregate(empty, { name: 'co', materialized: { ...strings, name: 'st' } });
    two
      .cogroup(named, concat)
      .aggregate(empty, { materialized: { ...strings, name: 'three' } })
      .toStream()
      .to('out', strings);
    right.cogroup(concat).aggregate(empty, { name: 'one', value: string() });
  },
  'windowed-cogroups': (b) => {
    const left = b.stream('l', strings).groupByKey();
    const right = b
      .stream('r', strings)
      .selectKey((_k, v) => v)
      .groupByKey(strings);
    const two = right.cogroup(concat).cogroup(left, concat);
    two.windowedBy(TimeWindows.ofSizeWithNoGrace(10)).aggregate(empty, { materialized: { ...strings, name: 'tim' } });
    two.windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(10)).aggregate(empty, { name: 'sli', value: string() });
    two.windowedBy(SessionWindows.ofInactivityGapWithNoGrace(10)).aggregate(empty, merge, { value: string() });
  },
  suppressed: (b) => {
    const wait = Suppressed.untilTimeLimit(10, BufferConfig.maxRecords(5));
    const table = b.table('t', strings);
    table
      .suppress(wait)
      .filter(() => true)
      .suppress(Suppressed.untilTimeLimit(5, BufferConfig.unbounded(), { name: 'sup' }));
    const counts = b.stream('in', strings).groupByKey().windowedBy(TimeWindows.ofSizeWithNoGrace(10)).count();
    counts
      .suppress(Suppressed.untilWindowCloses())
      .toStream()
      .foreach(() => {});
    counts.suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), { name: 'fin' })).mapValues((v) => v);
    table
      .groupBy((k, v) => [v, k] as const, strings)
      .count()
      .suppress(wait)
      .toStream()
      .to('out', { key: string(), value: long() });
  },
};
