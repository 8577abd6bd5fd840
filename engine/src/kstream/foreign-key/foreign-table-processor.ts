import { bytesOf } from '../../base/bytes.ts';
import { type InternalProcessorContext, internalContext } from '../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../processor/processor.ts';
import { Record } from '../../processor/record.ts';
import type { KeyValueStore } from '../../state/key-value-store.ts';
import type { KeyValueBytesStore } from '../../state/state-store.ts';
import { changelogTopicName } from '../../topology/internal-topics.ts';
import type { Change } from '../processors/table/change.ts';
import { foreignKeyPrefix, ownBytes, primaryKeyOf } from './combined-key.ts';
import type { ForeignKeyJoinSpec } from './foreign-key-spec.ts';
import { type PseudoTopics, pseudoTopics } from './pseudo-topics.ts';
import type { Response } from './response.ts';
import { HASH_BYTES, readSubscription, type SubscriptionWrapper } from './subscription.ts';

/**
 * Sends a changed foreign value to all its subscribers, in the order of their primary keys' bytes.
 *
 * Called by: the task. Invariants: I1 the answers have the timestamp of the change.
 */
export class ForeignTableProcessor<K, V, KO, VO> implements Processor<KO, Change<VO>, K, Response<VO>> {
  readonly #spec: ForeignKeyJoinSpec<K, V, KO, VO>;
  readonly #output = new Record<K, Response<VO>>(null as K, null as unknown as Response<VO>, 0);
  #context!: InternalProcessorContext<K, Response<VO>>;
  #store!: KeyValueBytesStore;
  #changelog = '';
  #topics!: PseudoTopics;
  #dropsHistory = false;

  constructor(spec: ForeignKeyJoinSpec<K, V, KO, VO>) {
    this.#spec = spec;
  }

  init(context: ProcessorContext<K, Response<VO>>): void {
    const { storeName, registrationTopic } = this.#spec;
    this.#context = internalContext(context);
    this.#dropsHistory = this.#spec.rightIsVersioned();
    this.#store = context.getStateStore<KeyValueStore<Buffer, SubscriptionWrapper<K>>>(storeName).bytes;
    this.#changelog = changelogTopicName(context.applicationId, storeName);
    this.#topics = pseudoTopics(`${context.applicationId}-${registrationTopic}`);
  }

  process(record: Record<KO, Change<VO>>): void {
    if (record.keyDatum.isNull) {
      this.#context.recordDropped('null-key');
      return;
    }
    if (this.#dropsHistory && !record.value.isLatest) {
      this.#context.recordDropped('out-of-order-version');
      return;
    }
    const foreignKey = ownBytes(record.keyDatum, this.#spec.foreignKeySerde, this.#topics.foreignKey);
    const foreignValue = record.value.newDatum;
    const output = this.#output;
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    const subscribers = this.#store.prefixScan(foreignKeyPrefix(foreignKey));
    try {
      for (let step = subscribers.next(); step.done !== true; step = subscribers.next()) {
        const { key, value } = step.value;
        const layout = readSubscription(value, 0, value.length, this.#changelog);
        const { hashStart, primaryPartition } = layout;
        const primaryKey = bytesOf(primaryKeyOf(key, foreignKey));
        output.keyDatum.setBytes(primaryKey, 0, primaryKey.length, this.#spec.keySerde, this.#topics.primaryKey, true);
        const hash = hashStart < 0 ? undefined : value.subarray(hashStart, hashStart + HASH_BYTES);
        output.valueDatum.setObject({ hash, foreignValue, primaryPartition });
        this.#context.forward(output);
      }
    } finally {
      subscribers.close();
    }
  }
}
