import { StreamsBuilder, string } from '../../src/index.ts';
import { joined, type Medium, type Params, strings, type TopologyFamily } from './family.ts';

const first = (key: string | null, value: string | null): string =>
  value === null ? (key as string) : value.slice(0, 1);

/** Parameter `optimise`: 1 lets the optimiser rewrite the program. */
function built(builder: StreamsBuilder, params: Params) {
  return builder.build({ topologyOptimization: params['optimise'] ? 'all' : 'none' });
}

const kept = (name: string, store: Medium) => ({ materialized: { name, store } });
const optimise = ['optimise'];

/** Programs that the optimiser changes; both forms are compared. */
export const optimised: TopologyFamily = {
  'optimised-source-table': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const table = builder.table('right', { ...strings, ...kept('rt', store) });
      const unnamed = builder.table('third', strings);
      builder.stream('left', strings).leftJoin(table, joined).leftJoin(unnamed, joined).to('out', strings);
      table
        .mapValues((value) => `${value}!`)
        .toStream()
        .to('out-table', strings);
      return built(builder, params);
    },
    params: optimise,
  },

  'optimised-repartitions': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const keyed = builder.stream('left', strings).selectKey(first);
      keyed
        .filter((_key, value) => value !== 'ab')
        .groupByKey({ key: string() })
        .count(kept('counts', store))
        .toStream()
        .mapValues((value) => String(value))
        .to('out-count', strings);
      keyed
        .groupByKey({ key: string(), name: 'grouped' })
        .reduce((a, b) => `${a}+${b}`, kept('reduced', store))
        .toStream()
        .to('out-reduced', strings);
      const table = builder.table('right', { ...strings, ...kept('rt', store) });
      keyed
        .peek(() => {})
        .leftJoin(table, joined, { key: string(), value: string() })
        .to('out-joined', strings);
      keyed
        .mapValues((value) => `${value}?`)
        .groupByKey(strings)
        .reduce((a, b) => `${a}-${b}`, kept('kept', store))
        .toStream()
        .to('out-kept', strings);
      return built(builder, params);
    },
    params: optimise,
  },

  'optimised-merge': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const left = builder.stream('left', strings).selectKey(first);
      const right = builder
        .stream('right', strings)
        .selectKey((key: string | null, value: string | null) => (value ?? key) as string);
      const merged = left.merge(right);
      merged
        .filter((_key, value) => value !== 'ba')
        .groupByKey({ key: string() })
        .count(kept('counts', store))
        .toStream()
        .mapValues((value) => String(value))
        .to('out-count', strings);
      merged
        .groupByKey({ key: string() })
        .reduce((a, b) => `${a}+${b}`)
        .toStream()
        .to('out-reduced', strings);
      return built(builder, params);
    },
    params: optimise,
  },

  'optimised-explicit': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const keyed = builder.stream('left', strings).selectKey(first);
      keyed
        .repartition({ ...strings, name: 'mine' })
        .groupByKey()
        .reduce((a, b) => `${a}+${b}`, kept('one', store))
        .toStream()
        .to('out-one', strings);
      keyed
        .toTable({ materialized: { ...strings, name: 'tt', store } })
        .toStream()
        .to('out-table', strings);
      keyed
        .groupByKey({ key: string() })
        .reduce((a, b) => `${a}-${b}`, kept('two', store))
        .toStream()
        .to('out-two', strings);
      return built(builder, params);
    },
    params: optimise,
  },
};
