import { type KTable, StreamsBuilder } from '../../src/index.ts';
import { joined, type NamedTopology, strings, type TopologyFamily } from './family.ts';

type Kind = 'inner' | 'left' | 'outer';
type Texts = KTable<string, string>;

function join(kind: Kind, left: Texts, right: Texts): Texts {
  if (kind === 'inner') return left.join(right, joined);
  return kind === 'left' ? left.leftJoin(right, joined) : left.outerJoin(right, joined);
}

function joinOf(kind: Kind): NamedTopology {
  return {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      const left = builder.table('left', { ...strings, materialized: { name: 'lt', store } });
      const right = builder.table('right', { ...strings, materialized: { name: 'rt', store } });
      join(kind, left, right).toStream().to('out', strings);
      return builder.build();
    },
  };
}

/** Table–table joins. */
export const tableTableJoins: TopologyFamily = {
  'table-table-inner-join': joinOf('inner'),
  'table-table-left-join': joinOf('left'),
  'table-table-outer-join': joinOf('outer'),
};
