import {
  EmitStrategy,
  SessionWindows,
  StreamsBuilder,
  Suppressed,
  string,
  TimeWindows,
  type Topology,
} from '../../src/index.ts';
import { joined, strings } from '../topologies/family.ts';

const WINDOW_MS = 10_000;
const GRACE_MS = 5_000;
const GAP_MS = 2_000;
/** Nothing that waits for its window to close has expired before. */
const AMPLE_MS = 3_600_000;

/** Topics without the application's prefix: what it reads. */
export const inputs = ['events', 'left', 'right', 'orders', 'products'] as const;
/** Outputs whose whole sequence in a partition is certain: they come from one input alone. */
export const sequences = ['counts', 'finals', 'sessions', 'closed'] as const;
/** Outputs that depend on how inputs interleave, but for the last value of each key. */
export const tables = ['values', 'joined', 'priced'] as const;

/** The foreign key of `f1:x`: `f1`; null without one. */
function foreignKey(value: string): string | null {
  const colon = value.indexOf(':');
  return colon <= 0 ? null : value.slice(0, colon);
}

/**
 * The application of the takeover test: the twin of the Java class `Takeover`. Windows, sessions, a suppression, an emission on close, a repartition, a
 * join of tables and one by a foreign key; some names are given, others generated.
 */
export function takeoverTopology(prefix: string): Topology {
  const builder = new StreamsBuilder();
  const events = builder.stream(`${prefix}-events`, strings);

  const counts = events
    .groupByKey(strings)
    .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW_MS, GRACE_MS))
    .count({ materialized: { name: 'counts' } });
  counts.toStream().to(`${prefix}-counts`);
  counts.suppress(Suppressed.untilWindowCloses()).toStream().to(`${prefix}-finals`);

  events
    .groupByKey(strings)
    .windowedBy(SessionWindows.ofInactivityGapAndGrace(GAP_MS, GRACE_MS))
    .count({ materialized: { name: 'sessions' } })
    .toStream()
    .to(`${prefix}-sessions`);

  events
    .groupByKey(strings)
    .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW_MS, GRACE_MS))
    .emitStrategy(EmitStrategy.onWindowClose())
    .count({ materialized: { name: 'closed', retentionMs: AMPLE_MS } })
    .toStream()
    .to(`${prefix}-closed`);

  events
    .groupBy((_key, value) => value, { ...strings, name: 'by-value' })
    .count()
    .toStream()
    .to(`${prefix}-values`);

  const left = builder.table(`${prefix}-left`, strings);
  const right = builder.table(`${prefix}-right`, strings);
  left
    .outerJoin(right, joined, { materialized: { name: 'joined', value: string() } })
    .toStream()
    .to(`${prefix}-joined`);

  const orders = builder.table(`${prefix}-orders`, { ...strings, materialized: { name: 'orders' } });
  const products = builder.table(`${prefix}-products`, strings);
  orders
    .leftJoin(products, foreignKey, joined, { materialized: { name: 'priced', value: string() } })
    .toStream()
    .to(`${prefix}-priced`);
  return builder.build();
}
