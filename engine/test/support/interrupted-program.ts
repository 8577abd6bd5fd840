import { StreamsBuilder } from '../../src/kstream/streams-builder.ts';
import { EmitStrategy } from '../../src/kstream/windows/emit-strategy.ts';
import { JoinWindows } from '../../src/kstream/windows/join-windows.ts';
import { SessionWindows } from '../../src/kstream/windows/session-windows.ts';
import { Suppressed } from '../../src/kstream/windows/suppressed.ts';
import { TimeWindows } from '../../src/kstream/windows/time-windows.ts';
import { json } from '../../src/serde/json.ts';
import { string } from '../../src/serde/primitives.ts';
import type { Topology } from '../../src/topology/topology.ts';

export const interruptedInputs = ['left', 'right', 'events', 'prices', 'stocks'] as const;
export const interruptedOutputs = ['joined', 'final', 'closed', 'sessions', 'offers'] as const;

/** Stores keep everything: what a repetition finds must not depend on how far back it begins. */
const RETENTION_MS = 3_600_000;
const HOUR_MS = 3_600_000;
const text = { key: string(), value: string() };
const set = json<string[]>();

/** Repeating a record changes nothing: at-least-once shows in how often, not in what. */
function add(_key: string, value: string, members: string[]): string[] {
  return members.includes(value) ? members : [...members, value].sort();
}

function union(_key: string, left: string[], right: string[]): string[] {
  return [...new Set([...left, ...right])].sort();
}

/**
 * Every operator that keeps state in a way of its own: a stream–stream left join, suppression, windows emitted on close, sessions and a
 * join of cached tables. Topics begin with `prefix`.
 */
export function interruptedProgram(prefix: string): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(`${prefix}-left`, text)
    .leftJoin(
      builder.stream(`${prefix}-right`, text),
      (left, right) => `${left}+${right}`,
      JoinWindows.ofTimeDifferenceAndGrace(100, HOUR_MS),
      { ...text, otherValue: string(), name: 'pairs', storeName: 'pairs' },
    )
    .to(`${prefix}-joined`, text);

  const events = builder.stream(`${prefix}-events`, text).groupByKey();
  const windowed = events.windowedBy(TimeWindows.ofSizeAndGrace(500, 200));
  windowed
    .aggregate(() => [], add, { materialized: { name: 'windows', value: set, retentionMs: RETENTION_MS } })
    .suppress(Suppressed.untilWindowCloses(undefined, { name: 'waiting' }))
    .toStream((key) => `${key.key}@${key.window.startMs}`)
    .to(`${prefix}-final`, { key: string(), value: set });
  windowed
    .emitStrategy(EmitStrategy.onWindowClose())
    .aggregate(() => [], add, { materialized: { name: 'closing', value: set, retentionMs: RETENTION_MS } })
    .toStream((key) => `${key.key}@${key.window.startMs}`)
    .to(`${prefix}-closed`, { key: string(), value: set });
  events
    .windowedBy(SessionWindows.ofInactivityGapAndGrace(40, 200))
    .aggregate(() => [], add, union, { materialized: { name: 'sessions', value: set, retentionMs: RETENTION_MS } })
    .toStream((key) => `${key.key}@${key.window.startMs}-${key.window.endMs}`)
    .to(`${prefix}-sessions`, { key: string(), value: set });

  builder
    .table(`${prefix}-prices`, { ...text, materialized: { name: 'prices' } })
    .join(
      builder.table(`${prefix}-stocks`, { ...text, materialized: { name: 'stocks' } }),
      (price, stock) => `${price}×${stock}`,
      { materialized: { name: 'offers', ...text } },
    )
    .toStream()
    .to(`${prefix}-offers`, text);
  return builder.build();
}

/** Options of every run of the program. */
export const interruptedOptions = {
  commitIntervalMs: 100,
  statestoreCacheMaxBytes: 1_000_000,
  outerJoinEmitIntervalMs: 0,
  windowEmitIntervalMs: 0,
  sessionTimeoutMs: 6_000,
  heartbeatIntervalMs: 500,
} as const;
