import { afterEach, describe, expect, test } from 'vitest';
import {
  Headers,
  JoinWindows,
  type KStream,
  long,
  type Metrics,
  noMetrics,
  type Serde,
  type StreamJoinedOptions,
  StreamsBuilder,
  string,
  type Topology,
  TopologyError,
} from '../../src/index.ts';
import { TopologyTestDriver, type TopologyTestDriverOptions } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };
type Kind = 'inner' | 'left' | 'outer';
type Options = StreamJoinedOptions<string, string, string>;

const joined = (left: string | null, right: string | null): string => `${left}|${right}`;

function join(
  kind: Kind,
  left: KStream<string, string>,
  right: KStream<string, string>,
  windows: JoinWindows,
  options: Options = {},
) {
  if (kind === 'inner') return left.join(right, joined, windows, options);
  if (kind === 'left') return left.leftJoin(right, joined, windows, options);
  return left.outerJoin(right, joined, windows, options);
}

function topologyOf(kind: Kind, windows: JoinWindows, options: Options = { store: 'memory' }): Topology {
  const builder = new StreamsBuilder();
  join(kind, builder.stream('left', strings), builder.stream('right', strings), windows, options).to('out', strings);
  return builder.build();
}

const drivers: TopologyTestDriver[] = [];

afterEach(async () => {
  for (const driver of drivers.splice(0)) await driver.close();
});

/** A driver whose search for unmatched records isn't throttled, with short names for what tests do. */
function play(topology: Topology, options: Partial<TopologyTestDriverOptions> = {}) {
  const driver = new TopologyTestDriver(topology, { applicationId: 'app', outerJoinEmitIntervalMs: 0, ...options });
  drivers.push(driver);
  const [left, right] = ['left', 'right'].map((topic) => driver.createInputTopic(topic, string(), string()));
  const out = driver.createOutputTopic('out', string(), string());
  return {
    driver,
    left: (key: string | null, value: string | null, ms: number, headers?: Headers) =>
      left?.pipeInput(key, value, ms, headers),
    right: (key: string | null, value: string | null, ms: number, headers?: Headers) =>
      right?.pipeInput(key, value, ms, headers),
    /** `key:value@time` of all results since the last call. */
    results: () => out.readRecordsToList().map(({ key, value, timestampMs }) => `${key}:${value}@${timestampMs}`),
    records: () => out.readRecordsToList(),
  };
}

const tenMs = JoinWindows.ofTimeDifferenceWithNoGrace(10);

describe('JoinWindows', () => {
  test.each([
    () => JoinWindows.ofTimeDifferenceWithNoGrace(-1),
    () => JoinWindows.ofTimeDifferenceWithNoGrace(1.5),
    () => JoinWindows.ofTimeDifferenceAndGrace(10, -1),
    () => JoinWindows.ofTimeDifferenceAndGrace(10, Number.NaN),
    () => JoinWindows.ofTimeDifferenceWithNoGrace(10).before(-11),
    () => JoinWindows.ofTimeDifferenceWithNoGrace(10).after(-11),
    () => JoinWindows.ofTimeDifferenceWithNoGrace(10).after(Number.POSITIVE_INFINITY),
  ])('refuse impossible durations (%#)', (make) => {
    expect(make).toThrow(TopologyError);
  });

  test('keep records for their size and the grace period', () => {
    const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 7).before(3).after(20);
    expect([windows.beforeMs, windows.afterMs, windows.sizeMs, windows.retentionMs]).toEqual([3, 20, 23, 30]);
    expect(JoinWindows.ofTimeDifferenceWithNoGrace(10).before(-4).sizeMs).toBe(6);
  });
});

describe.each(['memory', 'persistent'] as const)('with %s stores', (store) => {
  test('an asymmetric window is inclusive at both ends, whichever side comes last', () => {
    const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 100).before(3);
    const { left, right, results } = play(topologyOf('inner', windows, { store }));
    for (const ms of [96, 97, 110, 111]) right('A', `r${ms}`, ms);
    left('A', 'l', 100);
    expect(results()).toEqual(['A:l|r97@100', 'A:l|r110@110']);
    for (const ms of [96, 97, 110, 111]) right('A', `s${ms}`, ms);
    expect(results()).toEqual(['A:l|s97@100', 'A:l|s110@110']);
  });

  test('records of one key and time are all kept and all matched', () => {
    const { left, right, results } = play(topologyOf('outer', tenMs, { store }));
    left('A', 'a', 5);
    left('A', 'b', 5);
    left('A', 'b', 5);
    right('A', 'x', 5);
    expect(results()).toEqual(['A:a|x@5', 'A:b|x@5', 'A:b|x@5']);
    right('B', 'y', 100);
    expect(results()).toEqual([]);
    left('C', 'a', 100);
    left('C', 'b', 100);
    right('Z', 'z', 200);
    expect(results()).toEqual(['B:null|y@100', 'C:a|null@100', 'C:b|null@100']);
  });

  test.each(['left', 'right'] as const)('unmatched records expire by records of the %s side', (side) => {
    const played = play(topologyOf('outer', JoinWindows.ofTimeDifferenceAndGrace(10, 5), { store }));
    played.left('B', 'l', 20);
    played.right('A', 'r', 20);
    played[side]('Z', 'z', 35);
    expect(played.results()).toEqual([]);
    played[side]('Z', 'z', 36);
    // By time, right before left, then by key.
    expect(played.results()).toEqual(['A:null|r@20', 'B:l|null@20']);
  });

  test('each side waits for its own end of an asymmetric window', () => {
    const windows = JoinWindows.ofTimeDifferenceWithNoGrace(0).before(10).after(30);
    const { left, right, results } = play(topologyOf('outer', windows, { store }));
    left('L', 'l', 100);
    right('R', 'r', 100);
    right('Z', 'z', 111);
    expect(results()).toEqual(['R:null|r@100']);
    left('Z', 'z', 131);
    expect(results()).toEqual(['L:l|null@100', 'Z:null|z@111']);
  });

  test('a matched record is no unmatched result later', () => {
    const { driver, left, right, results } = play(topologyOf('left', tenMs, { store }));
    left('A', 'l', 0);
    right('A', 'r', 10);
    expect(results()).toEqual(['A:l|r@10']);
    left('B', 'l', 100);
    right('Z', 'z', 200);
    expect(results()).toEqual(['B:l|null@100']);
    const shared = driver.readChangelog('app-KSTREAM-OUTERSHARED-0000000004-store-changelog');
    expect(shared.map(({ key, value }) => [key?.toString('hex'), value?.toString('hex')])).toEqual([
      ['00000000000000000141', '010000000100000002016c'],
      ['00000000000000000141', undefined],
      ['00000000000000640142', '010000000100000002016c'],
      ['00000000000000640142', undefined],
    ]);
  });
});

describe('records that are late', () => {
  test('meet the other side as long as it is kept, and are unmatched at once where their window is past', () => {
    const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 20);
    const { left, right, results } = play(topologyOf('outer', windows));
    right('A', 'r', 50);
    left('A', 'l', 45);
    expect(results()).toEqual(['A:l|r@50']);
    left('B', 'late', 30);
    expect(results()).toEqual(['B:late|null@30']);
    // It was kept all the same: a partner that is later still finds it.
    right('B', 'later', 35);
    expect(results()).toEqual(['B:late|later@35']);
  });
});

describe('records without a key or a value', () => {
  function counting() {
    const dropped: string[] = [];
    const metrics: Metrics = {
      ...noMetrics,
      count: (name, tags) => {
        if (name === 'dropped-records-total') dropped.push(`${tags['processor-node-id']} ${tags['reason']}`);
      },
    };
    return { dropped, metrics };
  }

  test('are dropped and counted by inner joins', () => {
    const { dropped, metrics } = counting();
    const { left, right, results } = play(topologyOf('inner', tenMs), { metrics });
    left(null, 'l', 0);
    right('A', null, 0);
    left(null, null, 0);
    expect(results()).toEqual([]);
    expect(dropped).toEqual([
      'KSTREAM-JOINTHIS-0000000004 null-key',
      'KSTREAM-JOINOTHER-0000000005 null-value',
      'KSTREAM-JOINTHIS-0000000004 null-key',
    ]);
  });

  test('are results at once on an outer side where they have a value', () => {
    const { dropped, metrics } = counting();
    const { left, right, results } = play(topologyOf('left', tenMs), { metrics });
    left(null, 'l', 3);
    right(null, 'r', 3);
    left('A', null, 3);
    expect(results()).toEqual(['null:l|null@3']);
    expect(dropped).toEqual(['KSTREAM-OUTEROTHER-0000000005 null-key', 'KSTREAM-JOINTHIS-0000000004 null-value']);
    const outer = play(topologyOf('outer', tenMs));
    outer.right(null, 'r', 3);
    expect(outer.results()).toEqual(['null:null|r@3']);
  });

  test('move the time of the join all the same', () => {
    const { left, right, results } = play(topologyOf('left', tenMs));
    left('A', 'l', 0);
    right('A', null, 50);
    left('B', 'late', 5);
    expect(results()).toEqual(['B:late|null@5']);
  });

  test('go through the repartition topics of left and outer joins only', () => {
    for (const [kind, count] of [
      ['inner', 0],
      ['left', 1],
      ['outer', 1],
    ] as const) {
      const builder = new StreamsBuilder();
      const rekeyed = builder.stream('left', strings).selectKey<string>(() => null as unknown as string);
      join(kind, rekeyed, builder.stream('right', strings), tenMs, { ...strings, store: 'memory' }).to('out', strings);
      const { left, results } = play(builder.build());
      left('A', 'l', 0);
      expect(results()).toHaveLength(count);
    }
  });
});

describe('headers', () => {
  const named = (name: string) => new Headers([{ key: name, value: Buffer.from(name) }]);

  test('of a result are those of the record that made it', () => {
    const { left, right, records } = play(topologyOf('outer', tenMs));
    left('A', 'l', 0, named('first'));
    right('A', 'r', 1, named('second'));
    left('B', 'l', 2, named('third'));
    right('Z', 'z', 100, named('fourth'));
    expect(records().map(({ value, headers }) => [value, ...[...headers].map(({ key }) => key)])).toEqual([
      ['l|r', 'second'],
      ['l|null', 'fourth'],
    ]);
  });
});

describe('the search for unmatched records', () => {
  test('takes place once a second of wall clock by default, as in Kafka Streams', () => {
    const { driver, left, right, results } = play(topologyOf('outer', tenMs), { outerJoinEmitIntervalMs: 1_000 });
    right('A', 'r', 0);
    right('Z', 'z', 11);
    // The first search, with the first record, has found nothing.
    expect(results()).toEqual([]);
    driver.advanceWallClockTimeMs(999);
    right('Z', 'z', 12);
    expect(results()).toEqual([]);
    driver.advanceWallClockTimeMs(1);
    left('Y', 'y', 13);
    expect(results()).toEqual(['A:null|r@0']);
  });
});

describe('a stream joined with itself', () => {
  function selfJoin(topologyOptimization: 'none' | 'all'): Topology {
    const builder = new StreamsBuilder();
    const stream = builder.stream('left', strings);
    stream.join(stream, joined, tenMs, { store: 'memory' }).to('out', strings);
    return builder.build({ topologyOptimization });
  }

  test.each(['none', 'all'] as const)(
    'with the optimisation %s each pair is a result in both orders',
    (optimisation) => {
      const { left, results } = play(selfJoin(optimisation));
      left('A', 'a', 0);
      expect(results()).toEqual(['A:a|a@0']);
      left('A', 'b', 5);
      expect(results()).toEqual(['A:b|a@5', 'A:a|b@5', 'A:b|b@5']);
      left('B', 'c', 5);
      expect(results()).toEqual(['B:c|c@5']);
    },
  );

  test('keeps one store where the optimiser may, and two without it; a build does not change the next', () => {
    const builder = new StreamsBuilder();
    const stream = builder.stream('left', strings);
    stream.leftJoin(stream, joined, tenMs).to('out', strings);
    const stores = (topology: Topology) =>
      topology.resolve('app').subTopologies[0]?.stores.map(({ builder: { name } }) => name);
    const two = [
      'KSTREAM-JOINTHIS-0000000003-store',
      'KSTREAM-OUTEROTHER-0000000004-store',
      'KSTREAM-OUTERSHARED-0000000003-store',
    ];
    expect(stores(builder.build())?.sort()).toEqual(two);
    expect(stores(builder.build({ topologyOptimization: 'all' }))).toEqual(two.slice(0, 1));
    expect(stores(builder.build())?.sort()).toEqual(two);
  });
});

describe('names', () => {
  const storesOf = (topology: Topology) =>
    topology.resolve('app').subTopologies.flatMap(({ stores }) => stores.map(({ builder: { name } }) => name));
  const topicsOf = (topology: Topology) =>
    topology.resolve('app').subTopologies.flatMap(({ internalTopics }) => internalTopics);

  test('of stores come from storeName, those of nodes from name', () => {
    const topology = topologyOf('outer', tenMs, { name: 'pairs', storeName: 'kept' });
    expect(storesOf(topology).sort()).toEqual([
      'kept-outer-other-join-store',
      'kept-outer-shared-join-store',
      'kept-outer-this-join-store',
    ]);
    for (const node of ['pairs-this-windowed', 'pairs-outer-this-join', 'pairs-merge']) {
      expect(String(topology.describe())).toContain(node);
    }
  });

  test('of stores that are given are used as they are', () => {
    const options = { thisStore: { name: 'mine' }, otherStore: { name: 'yours', store: 'memory' as const } };
    const topology = topologyOf('left', tenMs, options);
    expect(storesOf(topology).sort()).toEqual(['mine', 'mine-left-shared-join-store', 'yours']);
    const stores = topology.resolve('app').subTopologies[0]?.stores ?? [];
    expect(
      stores
        .filter(({ builder }) => builder.persistent)
        .map(({ builder: { name } }) => name)
        .sort(),
    ).toEqual(['mine', 'mine-left-shared-join-store']);
    const same = { thisStore: { name: 'mine' }, otherStore: { name: 'mine' } };
    expect(() => topologyOf('left', tenMs, same)).toThrow(/Both stores of leftJoin .* have the name mine/);
  });

  test('that are generated are refused where all must be given', () => {
    const builder = new StreamsBuilder();
    join('left', builder.stream('left', strings), builder.stream('right', strings), tenMs).to('out', strings);
    expect(() => builder.build({ ensureExplicitInternalResourceNaming: true })).toThrow(
      /KSTREAM-JOINTHIS-0000000004-store-changelog.*KSTREAM-OUTERSHARED-0000000004-store/s,
    );
  });

  test('changelogs are deleted by time, that of unmatched records is compacted, and none is written without logging', () => {
    const policies = topicsOf(topologyOf('outer', JoinWindows.ofTimeDifferenceAndGrace(10, 5)));
    expect(policies.map(({ configs }) => [configs['cleanup.policy'], configs['retention.ms']])).toEqual(
      expect.arrayContaining([
        ['delete', String(25 + 86_400_000)],
        ['delete', String(25 + 86_400_000)],
        ['compact', undefined],
      ]),
    );
    expect(topicsOf(topologyOf('outer', tenMs, { loggingEnabled: false }))).toEqual([]);
  });
});

describe('partitions', () => {
  test('of both inputs must match', () => {
    const topology = topologyOf('inner', tenMs);
    expect(topology.resolve('app').subTopologies[0]?.copartitionGroups).toEqual([['left', 'right']]);
  });

  test('of a rekeyed side come from its repartition topic', () => {
    const builder = new StreamsBuilder();
    const rekeyed = builder.stream('left', strings).selectKey((_key, value) => value);
    join('inner', rekeyed, builder.stream('right', strings), tenMs, { ...strings, name: 'pairs' }).to('out', strings);
    const groups = builder
      .build()
      .resolve('app')
      .subTopologies.flatMap(({ copartitionGroups }) => copartitionGroups);
    expect(groups.map((group) => [...group].sort())).toEqual([['app-pairs-left-repartition', 'right']]);
  });

  test('by keys of different formats are refused with the remedy', () => {
    const builder = new StreamsBuilder();
    const left = builder.stream('left', strings);
    const right = builder.stream('right', { key: upper, value: string() });
    expect(() => left.join(right, joined, tenMs)).toThrow(
      /join KSTREAM-MERGE-0000000006 have keys of different formats, string and upper/,
    );
    expect(() => left.join(right, joined, tenMs, { key: string() })).not.toThrow();
  });

  const upper: Serde<string> = { ...string(), format: 'upper', serialize: (text) => Buffer.from(text.toUpperCase()) };
});

describe('joins that can not be', () => {
  test('of streams of two builders, or without a window, are refused', () => {
    const left = new StreamsBuilder().stream('left', strings);
    const right = new StreamsBuilder().stream('right', strings);
    expect(() => left.join(right, joined, tenMs)).toThrow(/join KSTREAM-MERGE-\d+ come from two builders/);
    const noWindow = undefined as unknown as JoinWindows;
    expect(() => left.outerJoin(left, joined, noWindow)).toThrow(/outerJoin KSTREAM-MERGE-\d+ needs a window/);
  });
});

describe('serdes', () => {
  test('that are not known any more are asked for', () => {
    const builder = new StreamsBuilder();
    const left = builder.stream('left', strings);
    const right = builder.stream('right', strings);
    const lengths = right.mapValues((value) => value.length);
    expect(() => left.join(lengths, (a, b) => a.length + b, tenMs)).toThrow(/pass \{ otherValue: … \}/);
    expect(() => lengths.join(left, (a, b) => a + b.length, tenMs)).toThrow(/needs a value serde/);
    expect(() => left.join(lengths, (a, b) => a.length + b, tenMs, { otherValue: long() })).not.toThrow();
    const rekeyed = left.selectKey((_key, value) => value);
    expect(() => rekeyed.join(right, joined, tenMs)).toThrow(/needs a key serde/);
  });
});
