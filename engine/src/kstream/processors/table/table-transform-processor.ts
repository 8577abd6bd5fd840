import type { StreamsConfig } from '../../../base/config.ts';
import { StreamsError } from '../../../base/errors.ts';
import type { Log } from '../../../base/metrics.ts';
import { Datum } from '../../../processor/datum.ts';
import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type {
  Cancellable,
  Processor,
  ProcessorContext,
  Punctuation,
  RecordMetadata,
} from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';
import type { StateStore } from '../../../state/state-store.ts';
import { Change } from './change.ts';
import { TableForwarder } from './table-forwarder.ts';
import { OpenTableStore, type TableSpec } from './table-processors.ts';
import type { TableValueGetterSupplier } from './table-value-getter.ts';
import type { ValueTransformer } from './value-transformer.ts';

/**
 * The context of a transformer: the node's, but nothing can be forwarded.
 *
 * Called by: the user's transformer.
 */
class TransformerContext implements ProcessorContext<never, never> {
  readonly #node: InternalProcessorContext<never, never>;
  readonly #hasRecord: boolean;

  /** `hasRecord` false: values are looked up, so the record being processed is not the one that is transformed. */
  constructor(node: ProcessorContext<never, never>, hasRecord: boolean) {
    this.#node = internalContext(node);
    this.#hasRecord = hasRecord;
  }

  get applicationId(): string {
    return this.#node.applicationId;
  }

  get taskId(): string {
    return this.#node.taskId;
  }

  get config(): StreamsConfig {
    return this.#node.config;
  }

  get log(): Log {
    return this.#node.log;
  }

  recordMetadata(): RecordMetadata | undefined {
    return this.#hasRecord ? this.#node.recordMetadata() : undefined;
  }

  forward(): never {
    throw new StreamsError(`${this.#node.nodeName}: a value transformer can't forward; what it returns goes on.`, {
      code: 'PROCESSING',
      recovery: 'fail',
    });
  }

  getStateStore<S = StateStore>(name: string): S {
    return this.#node.getStateStore<S>(name);
  }

  schedule(punctuation: Punctuation): Cancellable {
    return this.#node.schedule(punctuation);
  }

  commit(): void {
    this.#node.commit();
  }

  currentStreamTimeMs(): number {
    return this.#node.currentStreamTimeMs();
  }

  currentSystemTimeMs(): number {
    return this.#node.currentSystemTimeMs();
  }
}

/**
 * `transformValues` of a table.
 *
 * Owns: the user's transformer. Called by: the task.
 * Invariants: I1 deletions are transformed, too; I2 where the table is not kept, the old value is transformed again.
 */
export class TableTransformProcessor<K, V, VOut> implements Processor<K, Change<V>, K, Change<VOut>> {
  readonly #spec: TableSpec<K, VOut>;
  readonly #transformer: ValueTransformer<K, V, VOut>;
  readonly #change = new Change<VOut>();
  readonly #output = new Record<K, Change<VOut>>(null as K, this.#change, 0);
  #store: OpenTableStore<K, VOut> | undefined;
  #forwarder!: TableForwarder<K, VOut>;
  #sendsOldValues = false;

  constructor(spec: TableSpec<K, VOut>, transformer: ValueTransformer<K, V, VOut>) {
    this.#spec = spec;
    this.#transformer = transformer;
  }

  init(context: ProcessorContext<K, Change<VOut>>): void {
    this.#transformer.init?.(new TransformerContext(context as ProcessorContext<never, never>, true));
    const store = this.#spec.store();
    this.#store = store === undefined ? undefined : new OpenTableStore(context, store);
    this.#sendsOldValues = this.#spec.sendsOldValues();
    this.#forwarder = new TableForwarder(internalContext(context), this.#store, this.#sendsOldValues);
  }

  process(record: Record<K, Change<V>>): void {
    const { keyDatum } = record;
    const above = record.value;
    const { newDatum, oldDatum } = this.#change;
    const transformed = this.#transformer.transform(record.key, above.newValue);
    if (!this.#sendsOldValues) oldDatum.setNull();
    else if (this.#store !== undefined) this.#store.read(keyDatum, oldDatum);
    else oldDatum.setObject(this.#transformer.transform(record.key, above.oldValue));
    // Set last: a read of a cached store may forward older records through this node.
    newDatum.setObject(transformed);
    this.#change.isLatest = above.isLatest;
    if (this.#store !== undefined && !this.#store.write(keyDatum, this.#change, record.timestamp)) return;
    const output = this.#output;
    output.keyDatum = keyDatum;
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#forwarder.maybeForward(output);
  }

  close(): void {
    this.#transformer.close?.();
  }
}

/** Reads a transformed table that is not kept: transforms what the table above answers, null included. */
export function transformGetter<K, V, VOut>(
  above: TableValueGetterSupplier<K, V>,
  make: () => ValueTransformer<K, V, VOut>,
  stores: readonly string[],
): TableValueGetterSupplier<K, VOut> {
  return {
    storeNames: [...new Set([...above.storeNames, ...stores])],
    get(context) {
      const getter = above.get(context);
      const transformer = make();
      transformer.init?.(new TransformerContext(context, false));
      const value = new Datum<V>();
      return {
        read(key, into) {
          const timestampMs = getter.read(key, value);
          into.setObject(transformer.transform(key.get(), value.get()));
          return into.isNull ? -1 : timestampMs;
        },
        close() {
          getter.close?.();
          transformer.close?.();
        },
      };
    },
  };
}
