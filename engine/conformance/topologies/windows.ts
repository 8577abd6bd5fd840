import { StreamsBuilder, string, TimeWindows } from '../../src/index.ts';
import { type Params, strings, type TopologyFamily, text } from './family.ts';

export function windowsOf(params: Params): TimeWindows {
  const windows = TimeWindows.ofSizeAndGrace(params['size'] as number, params['grace'] as number);
  return params['advance'] === undefined ? windows : windows.advanceBy(params['advance']);
}

function retentionOf(params: Params): { retentionMs?: number } {
  return params['retention'] ? { retentionMs: params['retention'] } : {};
}

export const windows: TopologyFamily = {
  'tumbling-count': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(windowsOf(params))
        .count({ materialized: { name: 'win', store, ...retentionOf(params) } })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'size' }, value: 'long' },
  },

  'hopping-aggregate': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(windowsOf(params))
        .aggregate(
          () => '',
          (_key, value, aggregate) => aggregate + text(value),
          { value: string(), materialized: { name: 'win', store, ...retentionOf(params) } },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'size' } },
  },
};
