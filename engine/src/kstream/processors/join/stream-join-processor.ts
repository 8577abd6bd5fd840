import type { BinaryKey } from '../../../base/bytes.ts';
import { Datum } from '../../../processor/datum.ts';
import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { OuterJoinStore } from '../../../state/outer-join-store.ts';
import type { WindowBytesStore } from '../../../state/state-store.ts';
import type { WindowStore } from '../../../state/window-store.ts';
import { changelogTopicName } from '../../../topology/internal-topics.ts';
import { readsKey, type StreamJoinSpec } from './stream-join-spec.ts';

/**
 * One side of a stream–stream join: joins each record with those of the other side that are in its window.
 *
 * Owns: its output record. The records of the other side, the unmatched ones of both sides and the time that both share are in
 * the join's stores.
 * Called by: the task, through the node that keeps this side's records.
 * Invariants: I1 results of matches come by the time of the other record, then by its arrival; I2 an unmatched record becomes a
 * result once, when stream time has passed the end of its window by the grace period, with its own timestamp; I3 it leaves the
 * store when a partner comes or when it became a result; I4 stream time is that of both sides, records without a key or a
 * value included.
 */
export class StreamJoinProcessor<K, VThis, V1, V2, VOut> implements Processor<K, VThis, K, VOut> {
  readonly #spec: StreamJoinSpec<K, V1, V2, VOut>;
  readonly #isLeft: boolean;
  /** Records of this side without a partner are results. */
  readonly #isOuter: boolean;
  /** The window as this side sees it. */
  readonly #beforeMs: number;
  readonly #afterMs: number;
  readonly #readsKey: boolean;
  readonly #otherName: string;
  readonly #left = new Datum<V1>();
  readonly #right = new Datum<V2>();
  readonly #key = new Datum<K>();
  readonly #value = new Datum<VOut>();
  readonly #output = new Record<K, VOut>(null as K, null as VOut, 0);
  #context!: InternalProcessorContext<K, VOut>;
  #others!: WindowBytesStore;
  #othersTopic = '';
  #unmatched: OuterJoinStore | undefined;
  #unmatchedTopic = '';

  constructor(spec: StreamJoinSpec<K, V1, V2, VOut>, side: 'left' | 'right') {
    const { windows } = spec;
    this.#spec = spec;
    this.#isLeft = side === 'left';
    this.#isOuter = this.#isLeft ? spec.leftOuter : spec.rightOuter;
    this.#beforeMs = this.#isLeft ? windows.beforeMs : windows.afterMs;
    this.#afterMs = this.#isLeft ? windows.afterMs : windows.beforeMs;
    this.#readsKey = readsKey(spec.joiner);
    this.#otherName = this.#isLeft ? spec.right.name : spec.left.name;
    this.#output.valueDatum = this.#value;
  }

  init(context: ProcessorContext<K, VOut>): void {
    const { unmatchedStoreName } = this.#spec;
    this.#context = internalContext(context);
    this.#others = context.getStateStore<WindowStore<K, unknown>>(this.#otherName).bytes;
    this.#othersTopic = changelogTopicName(context.applicationId, this.#otherName);
    if (unmatchedStoreName !== undefined) {
      this.#unmatched = context.getStateStore<OuterJoinStore>(unmatchedStoreName);
      this.#unmatchedTopic = changelogTopicName(context.applicationId, unmatchedStoreName);
    }
  }

  process(record: Record<K, VThis>): void {
    const { keyDatum, valueDatum, timestamp } = record;
    const unmatched = this.#unmatched;
    if (unmatched !== undefined && timestamp > unmatched.times.streamTimeMs) unmatched.times.streamTimeMs = timestamp;
    if (keyDatum.isNull || valueDatum.isNull) {
      if (this.#isOuter && !valueDatum.isNull) this.#forwardAlone(record);
      else this.#context.recordDropped(keyDatum.isNull ? 'null-key' : 'null-value');
      return;
    }
    if (unmatched !== undefined && timestamp === unmatched.times.streamTimeMs) this.#emitExpired(unmatched, record);

    const key = keyDatum.binary(this.#spec.left.keySerde, this.#othersTopic);
    const toMs = Math.max(0, timestamp + this.#afterMs);
    if (this.#joinOthers(record, key, toMs) || !this.#isOuter) return;
    if (unmatched === undefined || toMs < unmatched.times.streamTimeMs) this.#forwardAlone(record);
    else this.#keep(unmatched, record, key);
  }

  /** Answers whether there was any match. */
  #joinOthers(record: Record<K, VThis>, key: BinaryKey, toMs: number): boolean {
    const { timestamp } = record;
    const unmatched = this.#unmatched;
    const others = this.#others.fetch(key, Math.max(0, timestamp - this.#beforeMs), toMs, 'forward');
    let matches = false;
    try {
      for (let step = others.next(); step.done !== true; step = others.next()) {
        const { value } = step.value;
        const { windowStartMs } = step.value.key;
        matches = true;
        unmatched?.matched(windowStartMs, !this.#isLeft, key);
        const { left, right } = this.#spec;
        if (this.#isLeft) {
          this.#right.setBytes(value, 0, value.length, right.valueSerde, this.#othersTopic, true);
          this.#forward(record, record.keyDatum, this.#leftOf(record), this.#right, Math.max(timestamp, windowStartMs));
        } else {
          this.#left.setBytes(value, 0, value.length, left.valueSerde, this.#othersTopic, true);
          this.#forward(record, record.keyDatum, this.#left, this.#rightOf(record), Math.max(timestamp, windowStartMs));
        }
      }
    } finally {
      others.close();
    }
    return matches;
  }

  #leftOf(record: Record<K, VThis>): Datum<V1> {
    return record.valueDatum as unknown as Datum<V1>;
  }

  #rightOf(record: Record<K, VThis>): Datum<V2> {
    return record.valueDatum as unknown as Datum<V2>;
  }

  /** A record of this side that no partner will come for. */
  #forwardAlone(record: Record<K, VThis>): void {
    if (this.#isLeft) {
      this.#right.setNull();
      this.#forward(record, record.keyDatum, this.#leftOf(record), this.#right, record.timestamp);
    } else {
      this.#left.setNull();
      this.#forward(record, record.keyDatum, this.#left, this.#rightOf(record), record.timestamp);
    }
  }

  #keep(unmatched: OuterJoinStore, record: Record<K, VThis>, key: BinaryKey): void {
    const { times } = unmatched;
    const { timestamp, valueDatum } = record;
    times.minTimeMs = Math.min(times.minTimeMs ?? timestamp, timestamp);
    const { left, right } = this.#spec;
    valueDatum.encode(
      (this.#isLeft ? left.valueSerde : right.valueSerde) as Serde<unknown> as Serde<VThis>,
      this.#unmatchedTopic,
    );
    unmatched.add(timestamp, this.#isLeft, key, valueDatum);
  }

  /**
   * Makes results of the unmatched records whose window has closed. As in Kafka Streams the walk ends where it has met open
   * windows of both sides, and it isn't begun while the oldest record, as far as known, can't have expired as this side sees
   * it: what it leaves comes with a later record.
   */
  #emitExpired(unmatched: OuterJoinStore, record: Record<K, VThis>): void {
    const { times } = unmatched;
    const { windows, left, right } = this.#spec;
    const waitMs = this.#afterMs + windows.graceMs;
    const mayHold = times.minTimeMs === undefined ? waitMs > 0 : times.minTimeMs + waitMs < times.streamTimeMs;
    if (!mayHold) return;
    const nowMs = this.#context.currentSystemTimeMs();
    if (nowMs < times.nextEmitMs) return;
    times.nextEmitMs = nowMs + this.#context.config.outerJoinEmitIntervalMs;
    times.minTimeMs = undefined;

    let leftOpen = false;
    let rightOpen = false;
    let spent: BinaryKey | undefined;
    const lists = unmatched.all();
    try {
      while (lists.next()) {
        const { timestampMs, isLeft, storeKey } = lists;
        times.minTimeMs = timestampMs;
        if (leftOpen && rightOpen) break;
        const closesMs = timestampMs + (isLeft ? windows.afterMs : windows.beforeMs) + windows.graceMs;
        if (closesMs >= times.streamTimeMs) {
          if (isLeft) leftOpen = true;
          else rightOpen = true;
          // Kafka Streams walks value by value, so the walk ends at the second one of this list.
          if (leftOpen && rightOpen && lists.count > 1) break;
          continue;
        }
        const key = lists.recordKey();
        for (const value of lists.values()) {
          this.#key.setBytes(key, 0, key.length, left.keySerde, this.#unmatchedTopic, true);
          this.#left.setNull();
          this.#right.setNull();
          if (isLeft) this.#left.setBytes(value, 0, value.length, left.valueSerde, this.#unmatchedTopic, true);
          else this.#right.setBytes(value, 0, value.length, right.valueSerde, this.#unmatchedTopic, true);
          this.#forward(record, this.#key, this.#left, this.#right, timestampMs);
        }
        if (spent !== undefined) unmatched.delete(spent);
        spent = storeKey;
      }
      if (spent !== undefined) unmatched.delete(spent);
    } finally {
      lists.close();
    }
  }

  #forward(record: Record<K, VThis>, key: Datum<K>, left: Datum<V1>, right: Datum<V2>, timestampMs: number): void {
    const { joiner } = this.#spec;
    const value = this.#readsKey
      ? joiner(left.get(), right.get(), key.get())
      : (joiner as (left: V1, right: V2) => VOut)(left.get(), right.get());
    const output = this.#output;
    this.#value.setObject(value);
    output.keyDatum = key;
    output.timestamp = timestampMs;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#context.forward(output);
  }
}
