import { StreamsBuilder } from '../../src/index.ts';
import { joined, strings, type TopologyFamily } from './family.ts';

export const streamTableJoins: TopologyFamily = {
  'stream-table-inner-join': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      const left = builder.stream('left', strings);
      const right = builder.table('right', { ...strings, materialized: { name: 'rt', store } });
      left.join(right, joined).to('out', strings);
      return builder.build();
    },
  },

  'stream-table-left-join': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      const left = builder.stream('left', strings);
      const right = builder.table('right', { ...strings, materialized: { name: 'rt', store } });
      left.leftJoin(right, joined).to('out', strings);
      return builder.build();
    },
  },

  'stream-globaltable-left-join': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      const right = builder.globalTable('right', { ...strings, materialized: { name: 'gt', store } });
      const foreignKey = (_key: string, value: string): string | null => {
        const at = value?.indexOf(':') ?? -1;
        return at > 0 ? value.slice(0, at) : null;
      };
      builder.stream('left', strings).leftJoin(right, foreignKey, joined).to('out', strings);
      return builder.build();
    },
  },
};
