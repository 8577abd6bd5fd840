import { SessionWindows, StreamsBuilder, string } from '../../src/index.ts';
import { type NamedTopology, type Params, strings, type TopologyFamily, text } from './family.ts';

export function sessionsOf(params: Params): SessionWindows {
  return SessionWindows.ofInactivityGapAndGrace(params['gap'] as number, params['grace'] as number);
}

export function retentionOf(params: Params): { retentionMs?: number } {
  return params['retention'] ? { retentionMs: params['retention'] } : {};
}

const key = { kind: 'session' } as const;

const sessionAggregate: NamedTopology = {
  build: (params, store) => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(sessionsOf(params))
      .aggregate(
        () => '',
        (_key, value, aggregate) => aggregate + text(value),
        (_key, aggregate, other) => `(${aggregate}&${other})`,
        { value: string(), materialized: { name: 'ses', store, ...retentionOf(params) } },
      )
      .toStream()
      .to('out');
    return builder.build();
  },
  output: { key },
};

/** Session windows. */
export const sessions: TopologyFamily = {
  'session-aggregate': sessionAggregate,

  'session-count': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(sessionsOf(params))
        .count({ materialized: { name: 'ses', store, ...retentionOf(params) } })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key, value: 'long' },
  },

  'session-reduce': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(sessionsOf(params))
        .reduce((aggregate, value) => `${text(aggregate)}+${text(value)}`, {
          materialized: { name: 'ses', store, ...retentionOf(params) },
        })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key },
  },
};
