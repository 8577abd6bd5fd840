import {
  type KTable,
  type SessionWindowedKStream,
  SessionWindows,
  StreamsBuilder,
  string,
  type Windowed,
} from '../../src/index.ts';
import { joined, type Medium, type Params, strings, type TopologyFamily, text } from './family.ts';
import { regrouped, retentionOf } from './windows.ts';

export { retentionOf } from './windows.ts';

export function sessionsOf(params: Params): SessionWindows {
  return SessionWindows.ofInactivityGapAndGrace(params['gap'] as number, params['grace'] as number);
}

export function bySession(builder: StreamsBuilder, params: Params): SessionWindowedKStream<string, string> {
  return builder.stream('in', strings).groupByKey().windowedBy(sessionsOf(params));
}

function aggregated(builder: StreamsBuilder, params: Params, store: Medium): KTable<Windowed<string>, string> {
  return bySession(builder, params).aggregate(
    () => '',
    (_key, value, aggregate) => aggregate + text(value),
    (_key, aggregate, other) => `(${aggregate}&${other})`,
    { value: string(), materialized: { name: 'ses', store, ...retentionOf(params) } },
  );
}

const key = { kind: 'session' } as const;
const params = ['gap', 'grace', 'retention'] as const;

/** Session windows. */
export const sessions: TopologyFamily = {
  'session-aggregate': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      aggregated(builder, params, store).toStream().to('out');
      return builder.build();
    },
    output: { key },
  },

  'session-count': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      bySession(builder, params)
        .count({ materialized: { name: 'ses', store, ...retentionOf(params) } })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key, value: 'long' },
    params,
  },

  'session-reduce': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      bySession(builder, params)
        .reduce((aggregate, value) => `${text(aggregate)}+${text(value)}`, {
          materialized: { name: 'ses', store, ...retentionOf(params) },
        })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key },
    params,
  },

  'session-to-null': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      bySession(builder, params)
        .aggregate(
          () => '',
          (_key, value, aggregate) => (value === 'x' ? null : aggregate + text(value)),
          (_key, aggregate, other) => `${aggregate}&${other}`,
          { value: string(), materialized: { name: 'ses', store, ...retentionOf(params) } },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key },
    params,
  },

  'session-regrouped': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      regrouped(aggregated(builder, params, store), store);
      return builder.build();
    },
    params,
  },

  'session-table-join': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const table = aggregated(builder, params, store);
      table
        .join(
          table.filter((_key, value) => value.length > 3),
          joined,
        )
        .toStream()
        .to('out', { value: string() });
      return builder.build();
    },
    output: { key },
    params,
  },
};
