import { StreamsBuilder } from '../../src/index.ts';
import { joined, type Medium, type NamedTopology, strings, type TopologyFamily } from './family.ts';

function tables(builder: StreamsBuilder, store: Medium) {
  return {
    left: builder.table('left', { ...strings, materialized: { name: 'lt', store } }),
    right: builder.table('right', { ...strings, materialized: { name: 'rt', store } }),
  };
}

function joinOf(kind: 'join' | 'leftJoin' | 'outerJoin'): NamedTopology {
  return {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      const { left, right } = tables(builder, store);
      left[kind](right, joined).toStream().to('out', strings);
      return builder.build();
    },
  };
}

/** Table–table joins. */
export const tableTableJoins: TopologyFamily = {
  'table-table-inner-join': joinOf('join'),
  'table-table-left-join': joinOf('leftJoin'),
  'table-table-outer-join': joinOf('outerJoin'),
};
