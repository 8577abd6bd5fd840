import type { StreamsConfig } from '../../../base/config.ts';
import { StreamsError } from '../../../base/errors.ts';
import type { Log } from '../../../base/metrics.ts';
import type { Datum } from '../../../processor/datum.ts';
import {
  type DropReason,
  type InternalProcessorContext,
  internalContext,
} from '../../../processor/internal-processor-context.ts';
import type {
  Cancellable,
  Processor,
  ProcessorContext,
  ProcessorSupplier,
  Punctuation,
  RecordMetadata,
} from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';
import type { StateStore } from '../../../state/state-store.ts';

/**
 * The context of a processor that may not change keys: everything but `forward` is the node's own.
 *
 * Owns: the key of the record being processed.
 * Called by: the user's processor.
 * Invariants: I1 what is forwarded has the key of the record that came in, bytes included.
 */
class FixedKeyContext<K, V> implements InternalProcessorContext<K, V> {
  readonly #node: InternalProcessorContext<K, V>;
  /** Undefined outside `process`. */
  key: Datum<K> | undefined;

  constructor(node: InternalProcessorContext<K, V>) {
    this.#node = node;
  }

  forward(record: Record<K, V>, childName?: string): void {
    const { key } = this;
    if (key === undefined) throw this.#refused('forwards outside process()');
    if (record.keyDatum !== key) {
      const [before, after] = [key.get(), record.keyDatum.get()];
      // Objects are not compared: a copy of the key is as good as the key, which is put in its place.
      if (typeof before !== 'object' && before !== after) throw this.#refused('changed a key');
      record.keyDatum = key;
    }
    this.#node.forward(record, childName);
  }

  forwardFrom(origin: RecordMetadata, record: Record<K, V>): void {
    this.#node.forwardFrom(origin, record);
  }

  get applicationId(): string {
    return this.#node.applicationId;
  }

  get taskId(): string {
    return this.#node.taskId;
  }

  get nodeName(): string {
    return this.#node.nodeName;
  }

  get log(): Log {
    return this.#node.log;
  }

  get config(): StreamsConfig {
    return this.#node.config;
  }

  get processorMetadata(): Map<string, number> {
    return this.#node.processorMetadata;
  }

  recordMetadata(): RecordMetadata | undefined {
    return this.#node.recordMetadata();
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

  recordDropped(reason: DropReason): void {
    this.#node.recordDropped(reason);
  }

  #refused(what: string): StreamsError {
    return new StreamsError(`${this.#node.nodeName} ${what}: use process() instead of processValues().`, {
      code: 'PROCESSING',
      recovery: 'fail',
    });
  }
}

/** Runs a user's processor under {@link FixedKeyContext}, so that nothing below `processValues` needs repartitioning. */
class FixedKeyProcessor<K, V, VOut> implements Processor<K, V, K, VOut> {
  readonly #inner: Processor<K, V, K, VOut>;
  readonly #input = new Record<K, V>(null as K, null as V, 0);
  #context!: FixedKeyContext<K, VOut>;

  constructor(inner: Processor<K, V, K, VOut>) {
    this.#inner = inner;
  }

  init(context: ProcessorContext<K, VOut>): void {
    this.#context = new FixedKeyContext(internalContext(context));
    this.#inner.init?.(this.#context);
  }

  process(record: Record<K, V>): void {
    const context = this.#context;
    // A read of a cached table may forward older records through this processor.
    const outer = context.key;
    context.key = record.keyDatum;
    const input = outer === undefined ? this.#input : new Record<K, V>(null as K, null as V, 0);
    input.inheritFrom(record);
    try {
      this.#inner.process(input);
    } finally {
      context.key = outer;
    }
  }

  close(): void {
    this.#inner.close?.();
  }
}

/**
 * The supplier of `processValues`: makes the user's processors, each under a context that refuses other keys.
 * @internal
 */
export function fixedKeySupplier<K, V, VOut>(
  supplier: ProcessorSupplier<K, V, K, VOut> | (() => Processor<K, V, K, VOut>),
): ProcessorSupplier<K, V, K, VOut> {
  if (typeof supplier === 'function') return { get: () => new FixedKeyProcessor(supplier()) };
  const wrapped: ProcessorSupplier<K, V, K, VOut> = { get: () => new FixedKeyProcessor(supplier.get()) };
  return supplier.stores === undefined ? wrapped : { ...wrapped, stores: () => supplier.stores?.() ?? [] };
}
