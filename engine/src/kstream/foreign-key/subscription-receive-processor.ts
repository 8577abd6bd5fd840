import { type InternalProcessorContext, internalContext } from '../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../processor/processor.ts';
import { Record } from '../../processor/record.ts';
import type { KeyValueStore } from '../../state/key-value-store.ts';
import type { KeyValueBytesStore } from '../../state/state-store.ts';
import { changelogTopicName } from '../../topology/internal-topics.ts';
import { encodeForStore } from '../processors/table/stored-datum.ts';
import { combinedKey, ownBytes } from './combined-key.ts';
import type { ForeignKeyJoinSpec } from './foreign-key-spec.ts';
import { type PseudoTopics, pseudoTopics } from './pseudo-topics.ts';
import { instruction, type SubscriptionWrapper } from './subscription.ts';

/**
 * The right side of a foreign-key join, where subscriptions arrive: keeps them, so that later changes of the foreign value find
 * their subscribers, and passes them on to be answered.
 *
 * Called by: the task. Invariants: I1 a subscription without foreign key is answered (with null) and never kept.
 */
export class SubscriptionReceiveProcessor<K, V, KO, VO>
  implements Processor<KO, SubscriptionWrapper<K>, KO, SubscriptionWrapper<K>>
{
  readonly #spec: ForeignKeyJoinSpec<K, V, KO, VO>;
  readonly #output = new Record<KO, SubscriptionWrapper<K>>(null as KO, null as unknown as SubscriptionWrapper<K>, 0);
  #context!: InternalProcessorContext<KO, SubscriptionWrapper<K>>;
  #store!: KeyValueBytesStore;
  #changelog = '';
  #topics!: PseudoTopics;

  constructor(spec: ForeignKeyJoinSpec<K, V, KO, VO>) {
    this.#spec = spec;
  }

  init(context: ProcessorContext<KO, SubscriptionWrapper<K>>): void {
    const { storeName, registrationTopic } = this.#spec;
    this.#context = internalContext(context);
    this.#store = context.getStateStore<KeyValueStore<Buffer, SubscriptionWrapper<K>>>(storeName).bytes;
    this.#changelog = changelogTopicName(context.applicationId, storeName);
    this.#topics = pseudoTopics(`${context.applicationId}-${registrationTopic}`);
  }

  process(record: Record<KO, SubscriptionWrapper<K>>): void {
    const subscription = record.value;
    const { instruction: what } = subscription;
    if (record.keyDatum.isNull) {
      if (what !== instruction.answerAlways) {
        this.#context.recordDropped('null-foreign-key');
        return;
      }
    } else {
      const deletes = what === instruction.deleteSilently || what === instruction.deleteAndAnswer;
      this.#keep(record, subscription, deletes);
    }
    const output = this.#output;
    output.inheritFrom(record);
    this.#context.forward(output);
  }

  #keep(record: Record<KO, SubscriptionWrapper<K>>, { primaryKey }: SubscriptionWrapper<K>, deletes: boolean): void {
    const { foreignKeySerde, keySerde, subscriptionSerde } = this.#spec;
    const foreignKey = ownBytes(record.keyDatum, foreignKeySerde, this.#topics.foreignKey);
    const key = combinedKey(foreignKey, ownBytes(primaryKey, keySerde, this.#topics.primaryKey));
    // The message's own bytes: what came in an older version is kept in that version.
    const bytes = deletes ? null : encodeForStore(record.valueDatum, subscriptionSerde, this.#changelog);
    this.#store.put(key, bytes, record.timestamp);
  }
}
