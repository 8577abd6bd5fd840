import type { BinaryKey } from '../../../base/bytes.ts';
import type { Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { Windowed } from '../../../serde/windowed.ts';
import type { SessionBytesStore } from '../../../state/state-store.ts';
import type { EmitStrategy } from '../../windows/emit-strategy.ts';
import type { SessionWindows } from '../../windows/session-windows.ts';
import { encodeForStore } from '../table/stored-datum.ts';
import type { AggregateSpec } from './aggregate-processor.ts';
import type { EmittingNode } from './close-schedule.ts';
import { fold, startFold } from './fold.ts';
import { SessionEmitter } from './session-emitter.ts';
import { WindowedAggregateProcessor } from './windowed-aggregate-processor.ts';

/** How a session aggregation folds records, and aggregates of sessions that turn out to be one. */
export interface SessionAggregateSpec<K, V, A> extends AggregateSpec<K, V, A> {
  /** The first aggregate is the initializer's, null for `reduce`. */
  readonly merger: (key: K, aggregate: A, other: A) => A | null;
}

interface FoundSession {
  readonly startMs: number;
  readonly endMs: number;
  readonly value: Buffer;
}

/**
 * Folds records into sessions; sessions that a record connects become one.
 *
 * Owns, called by: see {@link WindowedAggregateProcessor}.
 * Invariants: I3 only records without key don't move stream time; I4 a
 * record is late when the session that it would make ends before stream time − grace − gap; I5 first the merged sessions'
 * tombstones go out, by ascending end, then the new session; a session that only changes its aggregate has no tombstone; I6 a
 * result's timestamp is its session's end, and it has no headers; I7 null values are folded too; all as in Kafka Streams.
 */
export class SessionAggregateProcessor<K, V, A> extends WindowedAggregateProcessor<
  K,
  V,
  A,
  SessionBytesStore,
  SessionEmitter<K, A>
> {
  readonly #merger: SessionAggregateSpec<K, V, A>['merger'];
  readonly #gapMs: number;
  readonly #graceMs: number;
  #found: FoundSession[] = [];

  constructor(
    spec: SessionAggregateSpec<K, V, A>,
    windows: SessionWindows,
    windowedSerde: Serde<Windowed<K>>,
    strategy?: EmitStrategy,
  ) {
    super(spec, windowedSerde, strategy);
    this.#merger = spec.merger;
    this.#gapMs = windows.gapMs;
    this.#graceMs = windows.graceMs;
  }

  process(record: Record<K, V>): void {
    const { keyDatum, timestamp } = record;
    if (keyDatum.isNull) {
      this.context.recordDropped('null-key');
      return;
    }
    const closeMs = this.observe(timestamp) - this.#graceMs - this.#gapMs;
    const key = keyDatum.binary(this.spec.keySerde, this.topic);
    // A read or put of a cached store may forward older records through this node: then this record needs a list of its
    // own.
    if (this.forwarder?.isCached) this.#found = [];
    const found = this.#found;
    found.length = 0;
    let startMs = timestamp;
    let endMs = timestamp;
    for (const session of this.store.findSessions(key, timestamp - this.#gapMs, timestamp + this.#gapMs, 'forward')) {
      const other = { startMs: session.key.startMs, endMs: session.key.endMs, value: session.value };
      found.push(other);
      startMs = Math.min(startMs, other.startMs);
      endMs = Math.max(endMs, other.endMs);
    }
    if (endMs < closeMs) this.context.recordDropped('expired-window');
    else this.#put(record, key, startMs, endMs, found);
    this.emitter?.afterRecord(record as Record<unknown, unknown>, closeMs);
  }

  protected newEmitter(node: EmittingNode<K, A, SessionBytesStore>): SessionEmitter<K, A> {
    return new SessionEmitter(node);
  }

  #put(record: Record<K, V>, key: BinaryKey, startMs: number, endMs: number, found: readonly FoundSession[]): void {
    const { valueSerde, aggregation } = this.spec;
    const { change } = this.output;
    // A session that begins and ends at this record's time is overwritten in place; others are removed, since the new
    // one contains them.
    if (startMs !== record.timestamp || endMs !== record.timestamp) {
      for (const session of found) this.#remove(record, key, session);
    }
    this.emitter?.beforePut(record as Record<unknown, unknown>, endMs);
    this.#merge(record, found);
    fold(aggregation, record, change);
    this.store.put(key, encodeForStore(change.newDatum, valueSerde, this.topic), startMs, endMs, record.timestamp);
    change.oldDatum.setNull();
    this.#forward(key, startMs, endMs);
  }

  /** The aggregate of all sessions found, before the record, as the change's old value. */
  #merge(record: Record<K, V>, found: readonly FoundSession[]): void {
    const { valueSerde, aggregation } = this.spec;
    const merger = this.#merger;
    const { oldDatum, newDatum } = this.output.change;
    startFold(aggregation, this.output.change);
    for (const { value } of found) {
      newDatum.setBytes(value, 0, value.length, valueSerde, this.topic, true);
      const merged = aggregation.readsRecord
        ? merger(record.key, oldDatum.get(), newDatum.get())
        : (merger as (key: undefined, aggregate: A, other: A) => A | null)(undefined, oldDatum.get(), newDatum.get());
      oldDatum.setObject(merged);
    }
  }

  #remove(record: Record<K, V>, key: BinaryKey, { startMs, endMs, value }: FoundSession): void {
    const { change } = this.output;
    this.store.put(key, null, startMs, endMs, record.timestamp);
    change.newDatum.setNull();
    change.oldDatum.setBytes(value, 0, value.length, this.spec.valueSerde, this.topic, true);
    this.#forward(key, startMs, endMs);
  }

  #forward(key: BinaryKey, startMs: number, endMs: number): void {
    this.output.setSession(key, startMs, endMs);
    this.forward(endMs, undefined);
  }
}
