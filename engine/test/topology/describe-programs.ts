import {
  type BuildOptions,
  type KStream,
  long,
  type Processor,
  Stores,
  StreamsBuilder,
  string,
  TimeWindows,
  type Topology,
} from '../../src/index.ts';
import { joinPrograms } from './describe-programs-joins.ts';
import { windowPrograms } from './describe-programs-windows.ts';

const strings = { key: string(), value: string() };
const pass = (): Processor<string, string, string, string> => ({ process() {} });
const yes = () => true;
const pick = (left: string) => left;

/** The programs of `vectors/java/DescribeVectors.java`, line by line. */
export const programs: { readonly [name: string]: (builder: StreamsBuilder) => void } = {
  'table-chain': (b) => {
    b.table('t', strings)
      .filter(yes)
      .filterNot(yes, { materialized: strings })
      .mapValues((v) => v, { materialized: strings })
      .mapValues((v) => v)
      .toStream()
      .to('out', strings);
  },
  'table-named': (b) => {
    b.table('t', { ...strings, name: 'tab', materialized: { ...strings, name: 'st' } })
      .filter(yes, { name: 'flt' })
      .mapValues((v) => v, { name: 'mv' })
      .toStream({ name: 'ts' })
      .to('out', { ...strings, name: 'snk' });
  },
  'rekeyed-joins': (b) => {
    const table = b.table('t', strings);
    const stream = b.stream('in', strings).selectKey((_k, v) => v);
    stream.join(table, pick, strings).to('o1', strings);
    stream.leftJoin(table, pick, strings).to('o2', strings);
    stream.join(table, pick, { ...strings, name: 'named' }).to('o3', strings);
  },
  'rekeyed-totable': (b) => {
    const stream = b.stream('in', strings).map((k, v) => [v, k] as const);
    stream.toTable({ materialized: strings }).toStream().to('o1', strings);
    stream.toTable({ name: 'tt', materialized: strings }).toStream().to('o2', strings);
    stream
      .toTable({ name: 'uu', materialized: { ...strings, name: 'us' } })
      .toStream()
      .to('o3', strings);
  },
  'named-group': (b) => {
    const group = b.stream('in', strings).groupBy((_k, v) => v, { ...strings, name: 'grp' });
    group.count().toStream().to('o1', { key: string(), value: long() });
    group
      .reduce((_x, y) => y)
      .toStream()
      .to('o2', strings);
    group.windowedBy(TimeWindows.ofSizeAndGrace(10, 5)).count();
    group.aggregate(
      () => '',
      (_k, _v, a) => a,
      { name: 'agg', materialized: strings },
    );
  },
  'unnamed-groups': (b) => {
    const group = b.stream('in', strings).groupBy((_k, v) => v, strings);
    group.count();
    group.reduce((_x, y) => y);
    group.windowedBy(TimeWindows.ofSizeWithNoGrace(10).advanceBy(3)).reduce((_x, y) => y);
    group
      .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
      .aggregate(
        () => '',
        (_k, _v, a) => a,
        { materialized: strings },
      )
      .toStream();
  },
  'grouped-tables': (b) => {
    const table = b.table('t', strings);
    const unnamed = table.groupBy((k, v) => [k, v] as const, strings);
    unnamed.count();
    unnamed.reduce(
      (_x, y) => y,
      (_x, y) => y,
    );
    unnamed.aggregate(
      () => '',
      (_k, _v, a) => a,
      (_k, _v, a) => a,
      { materialized: strings },
    );
    const named = table.groupBy((k, v) => [k, v] as const, { ...strings, name: 'gt' });
    named
      .count({ name: 'cnt', materialized: { name: 'cst', key: string() } })
      .toStream()
      .to('o', { key: string(), value: long() });
  },
  'aggregate-regrouped': (b) => {
    b.stream('in', strings)
      .groupByKey()
      .count()
      .filter((_k, v) => v > 1)
      .groupBy((k, v) => [v, k] as const, { key: long(), value: string() })
      .count()
      .toStream()
      .to('out', { key: long(), value: long() });
  },
  processors: (b) => {
    const store = (name: string) => Stores.keyValueStoreBuilder({ name, ...strings, store: 'memory' });
    b.addStateStore(store('s2'));
    b.addStateStore(store('s1'));
    const stream = b.stream('in', strings);
    stream.process(pass, { stores: ['s1'] }).to('o1', strings);
    stream.process(pass, { name: 'prc', stores: ['s1', 's2'] }).to('o2', strings);
    stream.processValues(pass, { name: 'prv', stores: ['s2'] }).to('o3', strings);
    stream.processValues(pass).groupByKey(strings).count();
    stream.process(pass).groupByKey(strings).count();
  },
  'merge-and-split': (b) => {
    const left = b.stream(['l2', 'l1', 'zz', 'some-topic'], strings);
    const right = b.stream('r', { ...strings, name: 'right' });
    const again = b.stream('r', strings);
    const merged = left.merge(right).merge(again, { name: 'm2' });
    const branches = merged
      .split()
      .branch(yes)
      .branch(yes, { name: 'x' })
      .branch(yes, { consume: (branch) => branch.foreach(() => {}) })
      .noDefaultBranch();
    for (const name of [...branches.keys()].sort()) branches.get(name)?.filterNot(yes).to(`o-${name}`);
    merged.foreach(() => {}, { name: 'fe' });
  },
  repartitioned: (b) => {
    b.stream('in', strings)
      .repartition(strings)
      .mapValues((v) => v)
      .repartition({ ...strings, name: 'rp', partitions: 3 })
      .groupByKey()
      .count({ name: 'cnt' });
  },
  'global-tables': (b) => {
    const one = b.globalTable('g1', strings);
    const two = b.globalTable('g2', { ...strings, name: 'glo', materialized: { ...strings, name: 'gst' } });
    b.stream('in', strings)
      .join(one, (_k, v) => v, pick)
      .leftJoin(two, (_k, v) => v, pick, { name: 'lj' })
      .to('out', strings);
    b.stream('other', strings).to('out2', strings);
  },
  'fan-out': (b) => {
    const stream = b.stream('in', strings);
    for (let i = 0; i < 9; i += 1) {
      let child: KStream<string, string> = stream;
      for (let j = 0; j <= i % 4; j += 1) child = child.peek(() => {});
      child.to(`out-${i}`, strings);
    }
    stream.merge(stream.filter(yes)).groupByKey(strings).count();
  },
  diamond: (b) => {
    const stream = b.stream('in', strings);
    const a = stream.filter(yes, { name: 'a' });
    const c = stream.filter(yes, { name: 'c' }).mapValues((v) => v, { name: 'd' });
    const e = b.stream('in2', strings).peek(() => {}, { name: 'e' });
    c.merge(a, { name: 'ca' }).merge(e, { name: 'cae' }).merge(a, { name: 'caea' }).to('out', strings);
    e.to('side', strings);
  },

  ...windowPrograms,
  ...joinPrograms,
};

/** The topology of one program. */
export function topologyOf(name: string, options: BuildOptions = {}): Topology {
  const builder = new StreamsBuilder();
  (programs[name] as (builder: StreamsBuilder) => void)(builder);
  return builder.build(options);
}
