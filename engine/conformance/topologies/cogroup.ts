import {
  type CogroupedKStream,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  string,
  TimeWindows,
} from '../../src/index.ts';
import { joined, type Medium, type Params, strings, type TopologyFamily, text } from './family.ts';

const first = (key: string | null, value: string | null): string =>
  value === null ? (key as string) : value.slice(0, 1);

/** `left` is appended as it is and deletes with `x`; `right` is put in brackets. */
function bothSides(builder: StreamsBuilder): CogroupedKStream<string, string> {
  const left = builder.stream('left', strings).groupByKey();
  const right = builder.stream('right', strings).groupByKey();
  return left
    .cogroup((_key, value: string | null, aggregate: string) => (value === 'x' ? null : aggregate + text(value)))
    .cogroup(right, (_key, value: string | null, aggregate) => `${aggregate}(${text(value)})`);
}

const kept = (name: string, store: Medium) => ({ value: string(), materialized: { name, store } });

function windowStore(params: Params, store: Medium) {
  const { retention } = params;
  return {
    value: string(),
    materialized: { name: 'win', store, ...(retention ? { retentionMs: retention } : {}) },
  };
}

/** Cogrouped streams. */
export const cogroup: TopologyFamily = {
  'cogroup-two': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      bothSides(builder)
        .aggregate(() => '', kept('co', store))
        .toStream()
        .to('out');
      return builder.build();
    },
  },

  'cogroup-rekeyed': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      const left = builder.stream('left', strings).selectKey(first).groupByKey({ key: string() });
      const right = builder.stream('right', strings).groupBy(first, { key: string(), name: 'rights' });
      const plain = builder.stream('third', strings).groupByKey();
      const cogrouped = left
        .cogroup((_key, value: string | null, aggregate: string) => aggregate + text(value))
        .cogroup(right, (_key, value, aggregate) => `${aggregate}(${text(value)})`)
        .cogroup(plain, (_key, value, aggregate) => `${aggregate}[${text(value)}]`);
      cogrouped
        .aggregate(() => '', kept('co', store))
        .toStream()
        .to('out', strings);
      cogrouped
        .aggregate(() => '', { value: string(), name: 'named' })
        .toStream()
        .to('out-unnamed', strings);
      return builder.build();
    },
  },

  'cogroup-table-joined': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      const table = bothSides(builder).aggregate(() => '', kept('co', store));
      builder.stream('third', strings).leftJoin(table, joined).to('out', strings);
      table
        .filter((_key, value) => !value.startsWith('a'))
        .groupBy((key, value) => [value.slice(0, 1), key + value] as const, { ...strings, name: 'by' })
        .aggregate(
          () => '0',
          (_key, value, aggregate) => `${aggregate}+${value}`,
          (_key, value, aggregate) => `${aggregate}-${value}`,
          kept('agg', store),
        )
        .toStream()
        .to('out-grouped');
      return builder.build();
    },
  },

  'cogroup-windowed': {
    build: (params, store) => {
      const { size, advance, grace } = params as { size: number; advance?: number; grace: number };
      const windows = TimeWindows.ofSizeAndGrace(size, grace).advanceBy(advance ?? size);
      const builder = new StreamsBuilder();
      bothSides(builder)
        .windowedBy(windows)
        .aggregate(() => '', windowStore(params, store))
        .toStream()
        .to('out');
      return builder.build();
    },
    params: ['size', 'advance', 'grace', 'retention'],
    output: { key: { kind: 'time', sizeParam: 'size' } },
  },

  'cogroup-sliding': {
    build: (params, store) => {
      const { diff, grace } = params as { diff: number; grace: number };
      const builder = new StreamsBuilder();
      bothSides(builder)
        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(diff, grace))
        .aggregate(() => '', windowStore(params, store))
        .toStream()
        .to('out');
      return builder.build();
    },
    params: ['diff', 'grace', 'retention'],
    output: { key: { kind: 'time', sizeParam: 'diff' } },
  },

  'cogroup-sessions': {
    build: (params, store) => {
      const { gap, grace } = params as { gap: number; grace: number };
      const builder = new StreamsBuilder();
      bothSides(builder)
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(gap, grace))
        .aggregate(
          () => '',
          (_key, aggregate, other) => `(${aggregate}&${other})`,
          windowStore(params, store),
        )
        .toStream()
        .to('out');
      return builder.build();
    },
    params: ['gap', 'grace', 'retention'],
    output: { key: { kind: 'session' } },
  },
};
