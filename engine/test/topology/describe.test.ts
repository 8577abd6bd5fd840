import { describe, expect, test } from 'vitest';
import { internalTopicsText } from '../../conformance/internal-topics-text.ts';
import { hasVector, vectorText } from '../../conformance/vectors.ts';
import { type BuildOptions, JoinWindows, StreamsBuilder, string, type Topology } from '../../src/index.ts';
import { programs, topologyOf } from './describe-programs.ts';

const strings = { key: string(), value: string() };
/** The programs of the vectors that give no names at all. */
const unnamed: { readonly [name: string]: (options?: BuildOptions) => Topology } = {
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

/** Text and topics of the vector of that name. */
function expectAsVector(topology: Topology, name: string): void {
  const [text, topics] = vectorText(`describe-default-names/${name}.txt`).split(/\nInternal topics [^\n]*\n/);
  expect(String(topology.describe())).toBe(text);
  expect(internalTopicsText(topology.resolve('app'))).toBe(topics);
}

describe('generated names', () => {
  test.each(Object.keys(unnamed))('are those of Kafka Streams in %s', (name) => {
    expectAsVector((unnamed[name] as () => Topology)(), name);
  });

  test.each(Object.keys(unnamed))('are those of Kafka Streams in %s with all optimisations', (name) => {
    const topology = unnamed[name]?.({ topologyOptimization: 'all' }) as Topology;
    const changed = `${name}.optimized`;
    expectAsVector(topology, hasVector(`describe-default-names/${changed}.txt`) ? changed : name);
  });
});

describe('programs of our own that Kafka Streams described', () => {
  test.each(Object.keys(programs))('%s reads the same', (name) => {
    expect(String(topologyOf(name).describe())).toBe(vectorText(`describe-programs/${name}.txt`));
  });

  test.each(Object.keys(programs))('%s reads the same with all optimisations', (name) => {
    const changed = `describe-programs/${name}.optimized.txt`;
    const text = vectorText(hasVector(changed) ? changed : `describe-programs/${name}.txt`);
    expect(String(topologyOf(name, { topologyOptimization: 'all' }).describe())).toBe(text);
  });
});
