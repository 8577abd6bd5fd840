import {
  BufferConfig,
  type BuildOptions,
  JoinWindows,
  long,
  SessionWindows,
  StreamsBuilder,
  Suppressed,
  string,
  type Topology,
} from '../src/index.ts';

const strings = { key: string(), value: string() };

/** The programs of the vectors that give no names at all. */
export const unnamedPrograms: { readonly [name: string]: (options?: BuildOptions) => Topology } = {
  'branch-merge': (options) => {
    const builder = new StreamsBuilder();
    const branches = builder
      .stream('in', strings)
      .split()
      .branch((_key, value) => value === 'a')
      .branch((_key, value) => value === 'b')
      .defaultBranch();
    const [, second, other] = [...branches.values()];
    second?.merge(other as NonNullable<typeof other>).to('out');
    return builder.build(options);
  },
  'cogroup-two-aggregate': (options) => {
    const builder = new StreamsBuilder();
    const left = builder.stream('l', strings).groupByKey();
    const right = builder.stream('r', strings).groupByKey();
    left
      .cogroup((_key, value, aggregate: string) => aggregate + value)
      .cogroup(right, (_key, value, aggregate) => aggregate + value)
      .aggregate(() => '', { value: string() })
      .toStream()
      .to('out', strings);
    return builder.build(options);
  },
  'fk-inner': (options) => {
    const builder = new StreamsBuilder();
    const left = builder.table('l', strings);
    const right = builder.table('r', strings);
    left
      .join(
        right,
        (value) => value,
        (a, b) => a + b,
      )
      .toStream()
      .to('out', strings);
    return builder.build(options);
  },
  'gk-left': (options) => {
    const builder = new StreamsBuilder();
    const left = builder.stream('l', strings);
    const right = builder.globalTable('r', strings);
    left
      .leftJoin(
        right,
        (key) => key,
        (a, b) => `${a}${b}`,
      )
      .to('out', strings);
    return builder.build(options);
  },
  'groupByKey-count': (options) => {
    const builder = new StreamsBuilder();
    builder.stream('in', strings).groupByKey().count().toStream().to('out');
    return builder.build(options);
  },
  'map-filter-to': (options) => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .filter(() => true)
      .mapValues((value) => value)
      .map((key, value) => [key, value] as const)
      .peek(() => {})
      .flatMapValues((value) => [value])
      .to('out', strings);
    return builder.build(options);
  },
  'ss-inner': (options) => {
    const builder = new StreamsBuilder();
    const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 5);
    builder
      .stream('l', strings)
      .join(builder.stream('r', strings), (a, b) => a + b, windows)
      .to('out', strings);
    return builder.build(options);
  },
  'groupBy-reduce-suppress-limit': (options) => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .groupBy((_key, value) => value, strings)
      .reduce((_aggregate, value) => value)
      .suppress(Suppressed.untilTimeLimit(10, BufferConfig.maxRecords(10)))
      .toStream()
      .to('out', strings);
    return builder.build(options);
  },
  'session-count': (options) => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(SessionWindows.ofInactivityGapAndGrace(10, 5))
      .count()
      .toStream((window) => window.key)
      .to('out', { key: string(), value: long() });
    return builder.build(options);
  },
  'selectKey-groupByKey-count': (options) => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .selectKey((_key, value) => value)
      .groupByKey(strings)
      .count()
      .toStream()
      .to('out');
    return builder.build(options);
  },
};
