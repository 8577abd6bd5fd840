import { BufferConfig, StreamsBuilder, Suppressed, string, TimeWindows } from '../../src/index.ts';
import { strings, type TopologyFamily, text } from './family.ts';

/** `suppress`, both kinds. */
export const suppress: TopologyFamily = {
  'tumbling-suppress-final': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(params['size'] as number, params['grace'] as number))
        .aggregate(
          () => '',
          (_key, value, aggregate) => aggregate + text(value),
          {
            value: string(),
            materialized: {
              name: 'win',
              store,
              retentionMs: params['retention'] === 0 ? undefined : params['retention'],
            },
          },
        )
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), { name: 'final' }))
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'size' } },
  },

  'suppress-time-limit': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const buffer = BufferConfig.maxRecords(params['maxRecords'] as number).emitEarlyWhenFull();
      builder
        .table('in', { ...strings, materialized: { name: 'src', store } })
        .suppress(Suppressed.untilTimeLimit(params['limit'] as number, buffer, { name: 'rate' }))
        .toStream()
        .to('out');
      return builder.build();
    },
  },
};
