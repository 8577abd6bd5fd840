import { Datum } from '../../processor/datum.ts';
import { type InternalProcessorContext, internalContext } from '../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../processor/processor.ts';
import { Record } from '../../processor/record.ts';
import type { TableValueGetter } from '../processors/table/table-value-getter.ts';
import type { ForeignKeyJoinSpec } from './foreign-key-spec.ts';
import { murmur3Hash128 } from './murmur3.ts';
import { pseudoTopics } from './pseudo-topics.ts';
import type { Response } from './response.ts';

/**
 * The end of a foreign-key join, back in the left table's partition: joins answers with the left value that asked for them.
 *
 * Called by: the task. Invariants: I1 an answer to a left value that has changed since is dropped: the newer value has asked
 * again; I2 answers without foreign value delete the result, unless a left join has a left value.
 */
export class ResponseJoinProcessor<K, V, KO, VO, VOut> implements Processor<K, Response<VO>, K, VOut> {
  readonly #spec: ForeignKeyJoinSpec<K, V, KO, VO>;
  readonly #joiner: (left: V, right: VO) => VOut;
  readonly #leftValue = new Datum<V>();
  readonly #output = new Record<K, VOut>(null as K, null as VOut, 0);
  #context!: InternalProcessorContext<K, VOut>;
  #left!: TableValueGetter<K, V>;
  #hashTopic = '';

  constructor(spec: ForeignKeyJoinSpec<K, V, KO, VO>, joiner: (left: V, right: VO) => VOut) {
    this.#spec = spec;
    this.#joiner = joiner;
  }

  init(context: ProcessorContext<K, VOut>): void {
    this.#context = internalContext(context);
    this.#left = this.#spec.left.get(context);
    this.#hashTopic = pseudoTopics(`${context.applicationId}-${this.#spec.registrationTopic}`).leftValue;
  }

  process(record: Record<K, Response<VO>>): void {
    const { hash, foreignValue } = record.value;
    const left = this.#leftValue;
    this.#left.read(record.keyDatum, left);
    if (!this.#isCurrent(hash, left)) {
      this.#context.recordDropped('stale-response');
      return;
    }
    const output = this.#output;
    if (foreignValue.isNull && (!this.#spec.keepsLeft || left.isNull)) output.valueDatum.setNull();
    else output.valueDatum.setObject(this.#joiner(left.get(), foreignValue.get()));
    output.keyDatum = record.keyDatum;
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#context.forward(output);
  }

  close(): void {
    this.#left.close?.();
  }

  #isCurrent(asked: Buffer | undefined, left: Datum<V>): boolean {
    if (left.isNull || asked === undefined) return left.isNull && asked === undefined;
    return asked.equals(murmur3Hash128(this.#spec.valueSerde.serialize(left.get(), this.#hashTopic)));
  }
}
