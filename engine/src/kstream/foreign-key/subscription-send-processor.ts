import { type InternalProcessorContext, internalContext } from '../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../processor/processor.ts';
import { Record } from '../../processor/record.ts';
import { takesOne } from '../processors/stream/stateless-processors.ts';
import type { Change } from '../processors/table/change.ts';
import type { ForeignKeyJoinSpec } from './foreign-key-spec.ts';
import { murmur3Hash128 } from './murmur3.ts';
import { type PseudoTopics, pseudoTopics } from './pseudo-topics.ts';
import { type Instruction, instruction, type SubscriptionWrapper } from './subscription.ts';

/**
 * The left side of a foreign-key join: tells the right side which entries point where, and which no longer do.
 *
 * Owns: its output record. Called by: the task.
 * Invariants: I1 an entry whose foreign key changes is taken from the old key before it goes to the new one, since they may lie in
 * different partitions; I2 a left join asks in every case, a deletion included, since only answers make results.
 */
export class SubscriptionSendProcessor<K, V, KO, VO> implements Processor<K, Change<V>, KO, SubscriptionWrapper<K>> {
  readonly #spec: ForeignKeyJoinSpec<K, V, KO, VO>;
  readonly #output = new Record<KO, SubscriptionWrapper<K>>(null as KO, null as unknown as SubscriptionWrapper<K>, 0);
  #context!: InternalProcessorContext<KO, SubscriptionWrapper<K>>;
  #topics!: PseudoTopics;
  #dropsHistory = false;
  #taskPartition = 0;
  /** Of the current record; undefined: not yet computed, or a deletion. */
  #hash: Buffer | undefined;

  constructor(spec: ForeignKeyJoinSpec<K, V, KO, VO>) {
    this.#spec = spec;
  }

  init(context: ProcessorContext<KO, SubscriptionWrapper<K>>): void {
    this.#context = internalContext(context);
    this.#dropsHistory = this.#spec.leftIsVersioned();
    this.#topics = pseudoTopics(`${context.applicationId}-${this.#spec.registrationTopic}`);
    this.#taskPartition = Number(context.taskId.slice(context.taskId.lastIndexOf('_') + 1));
  }

  process(record: Record<K, Change<V>>): void {
    if (this.#dropsHistory && !record.value.isLatest) {
      this.#context.recordDropped('out-of-order-version');
      return;
    }
    const { oldDatum, newDatum } = record.value;
    if (oldDatum.isNull && newDatum.isNull) return;
    this.#hash = undefined;
    const oldKey = oldDatum.isNull ? null : this.#foreignKey(record, oldDatum.get());
    const newKey = newDatum.isNull ? null : this.#foreignKey(record, newDatum.get());
    if (this.#spec.keepsLeft) this.#sendForLeft(record, oldKey, newKey);
    else this.#sendForInner(record, oldKey, newKey);
  }

  #sendForLeft(record: Record<K, Change<V>>, oldKey: KO | null, newKey: KO | null): void {
    if (oldKey !== null && this.#differs(oldKey, newKey)) this.#send(record, oldKey, instruction.deleteSilently);
    this.#send(record, newKey, instruction.answerAlways);
  }

  #sendForInner(record: Record<K, Change<V>>, oldKey: KO | null, newKey: KO | null): void {
    if (newKey === null) {
      // Pointing nowhere, an entry has no result; an entry that did so before has none to delete.
      if (!record.value.newDatum.isNull) this.#context.recordDropped('null-foreign-key');
      if (oldKey !== null) this.#send(record, oldKey, instruction.deleteAndAnswer);
      return;
    }
    if (oldKey !== null && this.#differs(oldKey, newKey)) {
      this.#send(record, oldKey, instruction.deleteSilently);
      this.#send(record, newKey, instruction.answerAlways);
      return;
    }
    this.#send(record, newKey, instruction.answerIfPresent);
  }

  #foreignKey(record: Record<K, Change<V>>, value: V): KO | null {
    const { foreignKey } = this.#spec;
    const key = takesOne(foreignKey)
      ? (foreignKey as (value: V) => KO | null | undefined)(value)
      : foreignKey(value, record.key);
    return key ?? null;
  }

  #differs(oldKey: KO, newKey: KO | null): boolean {
    if (newKey === null) return true;
    if (typeof oldKey !== 'object' && Object.is(oldKey, newKey)) return false;
    const { foreignKeySerde } = this.#spec;
    const topic = this.#topics.foreignKey;
    return !foreignKeySerde.serialize(oldKey, topic).equals(foreignKeySerde.serialize(newKey, topic));
  }

  #send(record: Record<K, Change<V>>, foreignKey: KO | null, what: Instruction): void {
    const { newDatum } = record.value;
    if (this.#hash === undefined && !newDatum.isNull) {
      this.#hash = murmur3Hash128(this.#spec.valueSerde.serialize(newDatum.get(), this.#topics.leftValue));
    }
    const output = this.#output;
    output.keyDatum.setObject(foreignKey);
    output.valueDatum.setObject({
      hash: this.#hash,
      instruction: what,
      primaryKey: record.keyDatum,
      primaryPartition: this.#context.recordMetadata()?.partition ?? this.#taskPartition,
    });
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#context.forward(output);
  }
}
