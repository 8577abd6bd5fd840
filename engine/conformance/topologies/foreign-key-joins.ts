import { StreamsBuilder } from '../../src/index.ts';
import { joined, type NamedTopology, strings, type TopologyFamily } from './family.ts';

/** What stands before the colon; nothing, without one. */
function foreignKey(value: string): string | null {
  const at = value.indexOf(':');
  return at > 0 ? value.slice(0, at) : null;
}

function joinOf(left: boolean): NamedTopology {
  return {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      const one = builder.table('left', { ...strings, materialized: { name: 'lt', store } });
      const other = builder.table('right', { ...strings, materialized: { name: 'rt', store } });
      const options = { name: 'fkj', materialized: { ...strings, name: 'res', store } };
      const result = left
        ? one.leftJoin(other, foreignKey, joined, options)
        : one.join(other, foreignKey, joined, options);
      result.toStream().to('out', strings);
      return builder.build();
    },
  };
}

/** Foreign-key joins. */
export const foreignKeyJoins: TopologyFamily = {
  'fk-inner-join': joinOf(false),
  'fk-left-join': joinOf(true),
};
