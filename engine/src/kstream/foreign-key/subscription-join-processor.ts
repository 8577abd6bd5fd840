import { Datum } from '../../processor/datum.ts';
import { type InternalProcessorContext, internalContext } from '../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../processor/processor.ts';
import { Record } from '../../processor/record.ts';
import type { TableValueGetter } from '../processors/table/table-value-getter.ts';
import type { ForeignKeyJoinSpec } from './foreign-key-spec.ts';
import type { Response } from './response.ts';
import { instruction, type SubscriptionWrapper } from './subscription.ts';

/**
 * Answers subscriptions with the foreign value of the moment.
 *
 * Called by: the task. Invariants: I1 an answer has the later timestamp of subscription and foreign value.
 */
export class SubscriptionJoinProcessor<K, V, KO, VO> implements Processor<KO, SubscriptionWrapper<K>, K, Response<VO>> {
  readonly #spec: ForeignKeyJoinSpec<K, V, KO, VO>;
  readonly #foreign = new Datum<VO>();
  readonly #none = new Datum<VO>();
  readonly #output = new Record<K, Response<VO>>(null as K, null as unknown as Response<VO>, 0);
  #context!: InternalProcessorContext<K, Response<VO>>;
  #right!: TableValueGetter<KO, VO>;

  constructor(spec: ForeignKeyJoinSpec<K, V, KO, VO>) {
    this.#spec = spec;
  }

  init(context: ProcessorContext<K, Response<VO>>): void {
    this.#context = internalContext(context);
    this.#right = this.#spec.right.get(context);
  }

  process(record: Record<KO, SubscriptionWrapper<K>>): void {
    const { instruction: what, hash, primaryKey, primaryPartition } = record.value;
    const foreign = this.#foreign;
    let timestampMs = -1;
    if (record.keyDatum.isNull) foreign.setNull();
    // Also where nothing is answered, as Kafka Streams does: caches count reads as uses.
    else timestampMs = this.#right.read(record.keyDatum, foreign);
    if (what === instruction.deleteSilently) return;
    if (what === instruction.answerIfPresent && foreign.isNull) return;

    const output = this.#output;
    const foreignValue = what === instruction.deleteAndAnswer ? this.#none : foreign;
    output.keyDatum = primaryKey;
    output.valueDatum.setObject({ hash, foreignValue, primaryPartition });
    output.timestamp = Math.max(record.timestamp, timestampMs);
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#context.forward(output);
  }

  close(): void {
    this.#right.close?.();
  }
}
