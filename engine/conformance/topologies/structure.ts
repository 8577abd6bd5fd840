import { type Processor, type ProcessorContext, type Record, StreamsBuilder } from '../../src/index.ts';
import { joined, strings, type TopologyFamily } from './family.ts';

export const structure: TopologyFamily = {
  'branch-merge': {
    build: () => {
      const builder = new StreamsBuilder();
      const left = builder.stream('left', strings);
      const branches = left
        .merge(builder.stream('right', strings))
        .split({ name: 'br-' })
        .branch((_key, value: string | null) => value === null, { name: 'null' })
        .branch((_key, value) => value.startsWith('a'), { name: 'a' })
        .branch((_key, value) => value.startsWith('b'), {
          name: 'b',
          chain: (branch) => branch.mapValues((value) => value.toUpperCase()),
        })
        .defaultBranch({ name: 'rest' });
      branches.get('br-null')?.to('out-null');
      branches
        .get('br-a')
        ?.flatMap((key: string | null, value) => [
          [key as string, value],
          [value, key ?? 'nil'],
        ])
        .to('out-a', strings);
      branches.get('br-b')?.to('out-b', strings);
      branches
        .get('br-rest')
        ?.selectKey((_key, value) => value)
        .to('out-rest', strings);
      return builder.build();
    },
  },

  'null-keys-repartitioned': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      const table = builder.table('right', { ...strings, materialized: { name: 'rt', store } });
      const global = builder.globalTable('third', { ...strings, materialized: { name: 'gt', store } });
      const keyed = builder
        .stream('left', strings)
        .selectKey((_key, value: string | null) => (value === null ? null : value.slice(0, 1)) as string);
      keyed.leftJoin(table, joined, { ...strings, name: 'outer' }).to('out-left', strings);
      keyed.join(table, joined, { ...strings, name: 'inner' }).to('out-inner', strings);
      keyed
        .repartition({ ...strings, name: 'again' })
        .leftJoin(global, (key) => key, joined)
        .to('out-global', strings);
      keyed
        .toTable({ name: 'kept', materialized: { ...strings, name: 'tt', store } })
        .toStream()
        .to('out-table');
      return builder.build();
    },
    params: [],
  },

  'process-values': {
    build: () => {
      const builder = new StreamsBuilder();
      builder
        .stream('left', strings)
        .processValues(() => new Doubling(), { name: 'doubling' })
        .groupByKey(strings)
        .reduce((aggregate, value) => aggregate + value)
        .toStream()
        .to('out', strings);
      return builder.build();
    },
    params: [],
  },

  'rekey-totable-join': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      const table = builder
        .stream('right', strings)
        .selectKey((key, value: string | null) => (value === null ? key : value.slice(0, 1)))
        .repartition({ ...strings, name: 'rk' })
        .toTable({ materialized: { name: 'tt', store } });
      builder.stream('left', strings).leftJoin(table, joined).to('out', strings);
      return builder.build();
    },
  },
};

/** Forwards each record twice: under new values, with a header. */
class Doubling implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
  }

  process(record: Record<string, string | null>): void {
    record.headers.add('by', 'doubling');
    this.#context.forward(record.withValue(`${record.value}.`));
    this.#context.forward(record.withValue(`${record.value};`).withTimestamp(record.timestamp + 3));
  }
}
