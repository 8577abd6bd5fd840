import { describe, expect, test } from 'vitest';
import {
  type BuildOptions,
  KafkaStreams,
  StreamsBuilder,
  string,
  Topology,
  TopologyError,
  type TopologyOptimization,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };

/** Two aggregations and a join below one new key, and a table. */
function program(): StreamsBuilder {
  const builder = new StreamsBuilder();
  const table = builder.table('table', { ...strings, materialized: { name: 'kept' } });
  const keyed = builder.stream('in', strings).selectKey((_key, value) => value);
  keyed.groupByKey(strings).count();
  keyed
    .groupByKey(strings)
    .reduce((a) => a)
    .toStream()
    .to('reduced', strings);
  keyed.join(table, (left, right) => left + right, strings).to('joined', strings);
  return builder;
}

function shape(options: BuildOptions) {
  const { subTopologies } = program().build(options).resolve('app');
  return {
    repartitions: subTopologies.flatMap((part) => part.repartitionSourceTopics).length,
    tableLog: subTopologies
      .flatMap((part) => part.stores)
      .filter(({ builder }) => builder.name === 'kept')
      .map(({ changelogTopic, changelogIsSource }) => [changelogTopic, changelogIsSource])[0],
  };
}

describe('topologyOptimization', () => {
  test.each<[TopologyOptimization, number, string, boolean]>([
    ['none', 3, 'app-kept-changelog', false],
    ['all', 1, 'table', true],
    ['merge.repartition.topics', 1, 'app-kept-changelog', false],
    ['reuse.ktable.source.topics', 3, 'table', true],
    [['reuse.ktable.source.topics', 'merge.repartition.topics'], 1, 'table', true],
  ])('%j applies just these rules', (topologyOptimization, repartitions, changelog, isSource) => {
    expect(shape({ topologyOptimization })).toEqual({ repartitions, tableLog: [changelog, isSource] });
  });

  test('leaves the program as it was', () => {
    const builder = program();
    const plain = String(builder.build().describe());
    const optimised = String(builder.build({ topologyOptimization: 'all' }).describe());
    expect(optimised).not.toBe(plain);
    expect(String(builder.build().describe())).toBe(plain);
    expect(String(builder.build({ topologyOptimization: 'all' }).describe())).toBe(optimised);
  });

  test('keeps a topic above an operation that changes values', () => {
    const builder = new StreamsBuilder();
    const keyed = builder.stream('in', strings).selectKey((_key, value) => value);
    keyed.groupByKey(strings).count();
    keyed
      .mapValues((value) => value.length)
      .mapValues((length) => String(length))
      .groupByKey(strings)
      .count();
    const { subTopologies } = builder.build({ topologyOptimization: 'all' }).resolve('app');
    expect(subTopologies.flatMap((part) => part.repartitionSourceTopics)).toHaveLength(2);
  });

  test('makes one topic of two below a common operation, where Kafka Streams gives up', async () => {
    const builder = new StreamsBuilder();
    const common = builder
      .stream('in', strings)
      .selectKey((_key, value) => value)
      .filter((_key, value) => value !== 'x');
    common.groupByKey(strings).count({ materialized: { name: 'counts' } });
    common.groupByKey(strings).reduce((a, b) => a + b, { materialized: { name: 'sums' } });
    const topology = builder.build({ topologyOptimization: 'all' });
    expect(topology.resolve('app').subTopologies.flatMap((part) => part.repartitionSourceTopics)).toEqual([
      'app-counts-repartition',
    ]);
    const driver = new TopologyTestDriver(topology, { applicationId: 'app' });
    driver.createInputTopic('in', string(), string()).pipeKeyValueList([
      ['k', 'a', 1],
      ['k', 'x', 2],
      ['k', 'a', 3],
    ]);
    expect(driver.getKeyValueStore('sums').get('a')).toBe('aa');
    expect(driver.getKeyValueStore('counts').get('x')).toBeUndefined();
    await driver.close();
  });

  test('refuses a rule that does not exist', () => {
    const options = { topologyOptimization: 'some' as 'all' };
    expect(() => program().build(options)).toThrow(/topologyOptimization 'some' is unknown: give 'none', 'all'/);
  });

  test('in the configuration alone is an error, not silence', async () => {
    const settings = { applicationId: 'app', topologyOptimization: 'all' as const };
    const plain = program().build();
    const remedy = /built without .*: call builder.build\({ topologyOptimization: "all" }\)/;
    expect(() => new TopologyTestDriver(plain, settings)).toThrow(remedy);
    expect(() => new KafkaStreams(plain, settings)).toThrow(TopologyError);
    const byHand = new Topology().addSource('source', 'in', strings);
    await new TopologyTestDriver(byHand, settings).close();
    await new TopologyTestDriver(program().build({ topologyOptimization: 'all' }), settings).close();
  });
});

describe('ensureExplicitInternalResourceNaming', () => {
  const strict: BuildOptions = { ensureExplicitInternalResourceNaming: true };

  test('lists every generated name by kind', () => {
    const builder = new StreamsBuilder();
    builder.table('t', strings);
    builder
      .stream('in', strings)
      .selectKey((_key, value) => value)
      .groupByKey(strings)
      .count({ materialized: { loggingEnabled: false } });
    expect(() => builder.build(strict)).toThrow(TopologyError);
    expect(() => builder.build(strict)).toThrow(
      [
        'Following changelog topic(s) has not been named: t-STATE-STORE-0000000000-changelog',
        'Following state store(s) has not been named: t-STATE-STORE-0000000000, KSTREAM-AGGREGATE-STATE-STORE-0000000006',
        'Following repartition topic(s) has not been named: KSTREAM-AGGREGATE-STATE-STORE-0000000006-repartition',
      ].join('\n'),
    );
    expect(() => builder.build()).not.toThrow();
  });

  test('accepts a program that names what outlives it', () => {
    const builder = new StreamsBuilder();
    const table = builder.table('t', { ...strings, materialized: { name: 'table' } });
    const keyed = builder.stream('in', strings).selectKey((_key, value) => value);
    keyed.groupByKey({ ...strings, name: 'group' }).count({ materialized: { name: 'counts' } });
    keyed.groupByKey(strings).count({ materialized: { name: 'named-after-the-store' } });
    keyed.join(table, (left) => left, { ...strings, name: 'join' }).to('out', strings);
    keyed.repartition({ ...strings, name: 'again' }).to('other', strings);
    keyed.toTable({ name: 'as-table', materialized: { ...strings, name: 'kept' } });
    expect(() => builder.build(strict)).not.toThrow();
  });
});
