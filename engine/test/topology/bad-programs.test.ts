import { describe, expect, test } from 'vitest';
import {
  JoinWindows,
  long,
  type Processor,
  SessionWindows,
  SlidingWindows,
  Stores,
  StreamsBuilder,
  string,
  TimeWindows,
  Topology,
  TopologyError,
} from '../../src/index.ts';

const strings = { key: string(), value: string() };
const both = (left: string | null, right: string | null) => `${left}${right}`;
const pass = (): Processor<string, string, string, string> => ({ process() {} });
const keyValue = (name: string, loggingEnabled = true) =>
  Stores.keyValueStoreBuilder({ name, ...strings, store: 'memory', loggingEnabled });

/** Builds a program; what it returns is not looked at. */
function built(program: (builder: StreamsBuilder) => unknown): () => unknown {
  return () => {
    const builder = new StreamsBuilder();
    program(builder);
    return builder.build().resolve('app');
  };
}

const cases: readonly [string, () => unknown, RegExp][] = [
  [
    'a stream merged with one of another builder',
    built((b) => b.stream('in', strings).merge(new StreamsBuilder().stream('other', strings))),
    /KSTREAM-SOURCE-0000000000, which KSTREAM-MERGE-0000000001 reads, belongs to another StreamsBuilder: make both/,
  ],
  [
    'a program that grows after it was built',
    built((b) => {
      const table = b.table('in', strings);
      b.build();
      table.toStream({ name: 'late' });
    }),
    /late comes after build\(\).*complete the program first/,
  ],
  [
    'a table joined with one of another builder',
    built((b) => b.table('in', strings).join(new StreamsBuilder().table('other', strings), both)),
    /belongs to another StreamsBuilder/,
  ],
  [
    'a stream joined with a table of another builder',
    built((b) => b.stream('in', strings).join(new StreamsBuilder().table('other', strings), both, { name: 'j' })),
    /The stream and the table of join j belong to two StreamsBuilders/,
  ],
  [
    'a foreign-key join of tables of two builders',
    built((b) => b.table('in', strings).join(new StreamsBuilder().table('other', strings), (value) => value, both)),
    /belongs to another StreamsBuilder/,
  ],
  [
    'a cogroup of streams of two builders',
    built((b) => {
      const other = new StreamsBuilder().stream('other', strings).groupByKey();
      const cogrouped = b
        .stream('in', strings)
        .groupByKey()
        .cogroup<string>((_key, value) => value);
      cogrouped.cogroup(other, (_key, value) => value).aggregate(() => '', { value: string() });
    }),
    /belongs to another StreamsBuilder/,
  ],
  [
    'an aggregation of a group whose key has no serde',
    built((b) =>
      b
        .stream('in', strings)
        .groupBy((key) => key)
        .count(),
    ),
    /count needs a key serde.* pass { key: … } in the options of groupBy or groupByKey/,
  ],
  [
    'a reduction of values without a serde',
    built((b) => {
      const lengths = b.stream('in', strings).mapValues((value) => value.length);
      lengths.groupByKey().reduce((sum, length) => sum + length);
    }),
    /reduce needs a value serde.* pass { value: … } in the options of groupBy or groupByKey/,
  ],
  [
    'a store with an impossible name',
    built((b) => b.table('in', { ...strings, materialized: { name: 'a b' } })),
    /State store "a b": a store name has 1 to 200 letters/,
  ],
  [
    'a store of an unknown kind',
    built((b) => b.table('in', { ...strings, materialized: { name: 'x', store: 'rocksdb' as 'memory' } })),
    /State store "x": store is "rocksdb", but may be 'memory' or 'persistent'/,
  ],
  [
    'two sources of one topic with different serdes',
    built((b) => {
      b.stream('in', strings);
      b.stream('in', { key: string(), value: long() });
    }),
    /KSTREAM-SOURCE-0000000000 and KSTREAM-SOURCE-0000000001 read the same topics with different serdes: use the same/,
  ],
  [
    'two sources of one topic that begin at different offsets',
    built((b) => {
      b.stream('in', { ...strings, autoOffsetReset: 'earliest' });
      b.stream('in', { ...strings, autoOffsetReset: { byDurationMs: 5 } });
    }),
    /with different autoOffsetReset: use the same one/,
  ],
  [
    'streams of overlapping topics',
    built((b) => {
      b.stream(['a', 'b'], strings);
      b.stream(['b', 'c'], strings);
    }),
    /Topic b is read by KSTREAM-SOURCE-0000000000 and by KSTREAM-SOURCE-0000000001: read it once/,
  ],
  [
    'a topic read as a stream and as a table',
    built((b) => {
      b.stream('in', strings);
      b.table('in', strings);
    }),
    /Topic in is read by .* toStream\(\)/,
  ],
  [
    'a topic read as a table and as a global table',
    built((b) => {
      b.table('in', strings);
      b.globalTable('in', strings);
    }),
    /Topic in of source KSTREAM-SOURCE-\d+ is read by source KSTREAM-SOURCE-\d+ already: share that source/,
  ],
  [
    'a pattern that matches the topic of another source',
    built((b) => {
      b.stream('in-1', strings);
      b.stream(/^in-.*/, strings);
    }),
    /pattern of source KSTREAM-SOURCE-0000000001 matches topic in-1, which source KSTREAM-SOURCE-0000000000 reads/,
  ],
  [
    'a store that no processor is connected to',
    built((b) => {
      b.addStateStore(keyValue('lonely'));
      b.stream('in', strings).process(pass);
    }),
    /Store lonely is connected to no processor: name it in the processor's stores/,
  ],
  [
    'a processor with an unknown store',
    built((b) => b.stream('in', strings).process(pass, { name: 'prc', stores: ['st'] })),
    /Store st is unknown: add it with addStateStore before connecting prc/,
  ],
  [
    'two stores of one name',
    built((b) => {
      b.stream('in', strings)
        .groupByKey()
        .count({ materialized: { name: 'st' } });
      b.stream('other', strings)
        .groupByKey()
        .count({ materialized: { name: 'st' } });
    }),
    /Store st was added already by another builder: give the stores different names/,
  ],
  [
    'two nodes of one name',
    built((b) =>
      b
        .stream('in', strings)
        .filter(() => true, { name: 'twice' })
        .filter(() => true, { name: 'twice' }),
    ),
    /Node twice exists already: choose another name/,
  ],
  [
    'two repartition topics of one name',
    built((b) => {
      b.stream('in', strings).repartition({ ...strings, name: 'rp' });
      b.stream('other', strings).repartition({ ...strings, name: 'rp' });
    }),
    /rp-repartition exists already: give the second repartition another name/,
  ],
  [
    'a join of repartition topics with different partition counts',
    built((b) => {
      const left = b.stream('l', strings).repartition({ ...strings, name: 'three', partitions: 3 });
      const right = b.stream('r', strings).repartition({ ...strings, name: 'four', partitions: 4 });
      left.join(right, both, JoinWindows.ofTimeDifferenceWithNoGrace(5), { ...strings, otherValue: string() });
    }),
    /Joined topics must have equal partition counts: three-repartition \(3\), four-repartition \(4\)/,
  ],
  [
    'a repartition topic without partitions',
    built((b) => b.stream('in', strings).repartition({ ...strings, name: 'rp', partitions: 0 })),
    /rp-repartition.* partitions.*0/,
  ],
  [
    'a node name that no topic could have',
    built((b) => b.stream('in', { ...strings, name: 'a b' })),
    /"a b" is not legal/,
  ],
  ['an empty topic name', built((b) => b.stream('', strings)), /Topic name "" is not legal/],
  [
    'a sink without a legal topic',
    built((b) => b.stream('in', strings).to('out/x')),
    /Topic name "out\/x" is not legal/,
  ],
  ['a stream of no topics', built((b) => b.stream([], strings)), /reads no topic/],
  [
    'an unknown serde of a changed value',
    built((b) =>
      b
        .stream('in', strings)
        .mapValues((v) => v.length)
        .to('out'),
    ),
    /to\('out'\) needs a value serde.*pass \{ value: … \}/,
  ],
  [
    'an offset reset that does not exist',
    built((b) => b.stream('in', { ...strings, autoOffsetReset: 'first' as 'earliest' })),
    /Source KSTREAM-SOURCE-0000000000 has autoOffsetReset "first": give earliest, latest, none/,
  ],
  [
    'an offset reset by a negative duration',
    built((b) => b.stream('in', { ...strings, autoOffsetReset: { byDurationMs: -1 } })),
    /autoOffsetReset \{"byDurationMs":-1\}/,
  ],
  ['a window of negative size', () => TimeWindows.ofSizeWithNoGrace(-1), /above 0, not -1/],
  ['a window without size', () => TimeWindows.ofSizeWithNoGrace(0), /above 0, not 0/],
  ['a grace below zero', () => TimeWindows.ofSizeAndGrace(10, -1), /not -1/],
  ['a window that advances by nothing', () => TimeWindows.ofSizeWithNoGrace(10).advanceBy(0), /not by 0/],
  ['a window that advances beyond its size', () => TimeWindows.ofSizeWithNoGrace(10).advanceBy(11), /not by 11/],
  ['a session of negative gap', () => SessionWindows.ofInactivityGapWithNoGrace(-1), /-1/],
  ['a session with a grace below zero', () => SessionWindows.ofInactivityGapAndGrace(5, -1), /-1/],
  ['a negative time difference', () => SlidingWindows.ofTimeDifferenceWithNoGrace(-1), /-1/],
  ['a join of negative time difference', () => JoinWindows.ofTimeDifferenceWithNoGrace(-1), /-1/],
  ['a join with a grace below zero', () => JoinWindows.ofTimeDifferenceAndGrace(1, -1), /-1/],
  [
    'a window store that forgets too soon',
    built((b) =>
      b
        .stream('in', strings)
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(10, 5))
        .count({ materialized: { name: 'win', retentionMs: 14 } }),
    ),
    /Store win: retentionMs is 14, but windows are needed for size \+ grace = 15 ms/,
  ],
  [
    'a join with a global table that has the name of another store',
    built((b) => {
      b.table('t', { ...strings, materialized: { name: 'st' } });
      b.globalTable('g', { ...strings, materialized: { name: 'st' } });
    }),
    /Store st was added already/,
  ],
  [
    'a store of a global table connected to a processor',
    built((b) => {
      b.globalTable('g', { ...strings, materialized: { name: 'gst' } });
      b.stream('in', strings).process(pass, { name: 'prc', stores: ['gst'] });
    }),
    /Store gst is global: every processor may use it, so don't connect it to prc/,
  ],
  [
    'a read-only store of a topic that another source reads',
    () =>
      new Topology().addSource('src', 'in', strings).addReadOnlyStateStore({
        store: keyValue('ro'),
        sourceName: 'ro-source',
        topic: 'in',
        ...strings,
        processorName: 'ro-processor',
        supplier: pass as never,
      }),
    /Topic in of source ro-source is read by source src already/,
  ],
  [
    'a global store whose source and processor have one name',
    () =>
      new Topology().addGlobalStore({
        store: keyValue('g', false),
        sourceName: 'same',
        topic: 't',
        ...strings,
        processorName: 'same',
        supplier: pass as never,
      }),
    /Node same exists already/,
  ],
  [
    'a processor that hangs below a global store',
    () =>
      new Topology()
        .addGlobalStore({
          store: keyValue('g', false),
          sourceName: 'gs',
          topic: 't',
          ...strings,
          processorName: 'gp',
          supplier: pass as never,
        })
        .addProcessor('below', pass, 'gp'),
    /Node gp fills a global store: below can't hang below it/,
  ],
  [
    'a sink as the parent of a sink',
    () => sinkOnly().addSink('next', 'x', 'sink', strings),
    /Sink sink can't be the parent of next/,
  ],
  [
    'nodes below no source',
    () => new Topology().addProcessor('p', pass, 'nothing'),
    /Parent nothing of node p is unknown/,
  ],
];

function sinkOnly(): Topology {
  return new Topology().addSource('src', 'in', strings).addSink('sink', 'out', 'src', strings);
}

describe('a bad program is refused, with the node and what to do:', () => {
  test.each(cases)('%s', (_what, build, message) => {
    expect(build).toThrow(TopologyError);
    expect(build).toThrow(message);
  });
});
