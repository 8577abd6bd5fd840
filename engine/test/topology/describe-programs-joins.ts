import { JoinWindows, type KStream, type StreamsBuilder, string } from '../../src/index.ts';

const strings = { key: string(), value: string() };
const both = (left: string | null, right: string | null) => `${left}${right}`;
const same = (value: string) => value;
const windows = JoinWindows.ofTimeDifferenceWithNoGrace(10);
const joined = { key: string(), value: string(), otherValue: string() };
const keyed = (b: StreamsBuilder, topic: string): KStream<string, string> =>
  b.stream(topic, strings).selectKey((_k, v) => v);

/** Joins and what the optimiser makes of programs: `joins()` of `vectors/java/DescribeVectors.java`. */
export const joinPrograms: { readonly [name: string]: (builder: StreamsBuilder) => void } = {
  'table-joins': (b) => {
    const left = b.table('l', strings);
    const right = b.table('r', { ...strings, materialized: { ...strings, name: 'rst' } });
    left.join(right, both);
    left.leftJoin(right, both, { materialized: strings });
    left.outerJoin(right, both, { name: 'oj' });
    left.join(right, both, { name: 'nj', materialized: { ...strings, name: 'jst' } }).join(left, both);
    left
      .filter(() => true)
      .leftJoin(right.mapValues(same), both)
      .toStream()
      .to('out', strings);
  },
  'foreign-key-joins': (b) => {
    const left = b.table('l', strings);
    const right = b.table('r', { ...strings, materialized: { ...strings, name: 'rst' } });
    left.join(right, same, both, { materialized: strings });
    left.leftJoin(right, same, both, { name: 'fkj', materialized: strings });
    left
      .leftJoin(right, same, both, { name: 'two', materialized: { ...strings, name: 'res' } })
      .toStream()
      .to('out', strings);
  },
  'stream-joins': (b) => {
    const left = b.stream('l', strings);
    const right = b.stream('r', strings);
    left.join(right, both, windows, joined).to('o1', strings);
    left.leftJoin(right, both, windows, { ...joined, name: 'lj' });
    left.outerJoin(right, both, windows, { ...joined, storeName: 'ost' });
    left.outerJoin(right, both, windows, { ...joined, name: 'oj', storeName: 'ojs' });
    left.outerJoin(right, both, windows, joined).foreach(() => {});
    left.join(left, both, windows, joined).to('self', strings);
    left.join(left, both, windows, { ...joined, name: 'selfie' }).to('self2', strings);
  },
  'rekeyed-stream-joins': (b) => {
    const left = keyed(b, 'l');
    const right = keyed(b, 'r');
    left.join(right, both, windows, joined).to('o1', strings);
    left.leftJoin(right, both, windows, joined).to('o2', strings);
    left.outerJoin(right, both, windows, { ...joined, name: 'named' }).to('o3', strings);
    left.join(left, both, windows, joined).to('o4', strings);
    left.join(b.stream('plain', strings), both, windows, { ...joined, name: 'half' }).to('o5', strings);
  },
  'merged-repartitions': (b) => {
    const stream = keyed(b, 'in');
    stream
      .filter(() => true)
      .groupByKey(strings)
      .count();
    stream
      .peek(() => {})
      .groupByKey({ ...strings, name: 'grp' })
      .reduce((x) => x, { materialized: { ...strings, name: 'red' } });
    stream.join(b.table('t', strings), both, strings).to('o1', strings);
    stream.toTable({ materialized: strings }).toStream().to('o2', strings);
    stream
      .mapValues(same)
      .groupByKey(strings)
      .reduce((x) => x)
      .toStream()
      .to('o3', strings);
    stream
      .map((k, v) => [v, k] as const)
      .groupByKey(strings)
      .count({ name: 'cnt' });
  },
  'merged-below-merge': (b) => {
    const merged = keyed(b, 'l').merge(b.stream('r', strings).map((k, v) => [v, k] as const, { name: 'mp' }));
    merged
      .filter(() => true)
      .groupByKey(strings)
      .count();
    merged
      .peek(() => {}, { name: 'pk' })
      .groupByKey(strings)
      .reduce((x) => x, { name: 'rd' });
    keyed(b, 'one').merge(keyed(b, 'two')).groupByKey(strings).count();
  },
  'reused-tables': (b) => {
    const kept = b.table('kept', { ...strings, materialized: { ...strings, name: 'st' } });
    const bare = b.table('bare', strings);
    b.stream('in', strings).join(kept, both).leftJoin(bare, both).to('out', strings);
    b.table('idle', strings).toStream().to('idle-out', strings);
    bare.groupBy((k, v) => [v, k] as const, strings).count();
  },
  printed: (b) => {
    b.stream('in', strings)
      .flatMapValues((v) => [v], { name: 'fmv' })
      .print({ write() {} });
    b.stream('other', strings)
      .flatMap((k, v) => [[k, v]], { name: 'fm' })
      .print({ name: 'prt', label: 'lbl', write() {} });
    b.table('t', strings)
      .toStream((k) => k, { name: 'ts' })
      .groupByKey(strings)
      .count();
  },
};
