import { StreamsBuilder } from '../../src/index.ts';
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
