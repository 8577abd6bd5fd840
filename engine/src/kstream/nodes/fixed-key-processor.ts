import { StreamsError } from '../../base/errors.ts';
import type { Datum } from '../../processor/datum.ts';
import type { InternalProcessorContext } from '../../processor/internal-processor-context.ts';
import { internalContext } from '../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext, ProcessorSupplier } from '../../processor/processor.ts';
import type { Record } from '../../processor/record.ts';

/**
 * Holds the promise of `processValues`: what is forwarded has the key of the record that came in, so that nothing below needs
 * repartitioning. A changed key is an error; the key's bytes are kept as they are.
 */
class FixedKeyProcessor<K, V, VOut> implements Processor<K, V, K, VOut> {
  readonly #inner: Processor<K, V, K, VOut>;
  #key: Datum<K> | undefined;

  constructor(inner: Processor<K, V, K, VOut>) {
    this.#inner = inner;
  }

  init(context: ProcessorContext<K, VOut>): void {
    const outer = internalContext(context);
    // The context's other members stay those of the node; only `forward` is guarded.
    const guarded: InternalProcessorContext<K, VOut> = Object.create(outer, {
      forward: { value: (record: Record<K, VOut>, childName?: string) => this.#forward(outer, record, childName) },
      getStateStore: { value: (name: string) => outer.getStateStore(name) },
      recordMetadata: { value: () => outer.recordMetadata() },
      schedule: { value: (options: Parameters<typeof outer.schedule>[0]) => outer.schedule(options) },
      commit: { value: () => outer.commit() },
      currentStreamTimeMs: { value: () => outer.currentStreamTimeMs() },
      currentSystemTimeMs: { value: () => outer.currentSystemTimeMs() },
      recordDropped: { value: (reason: Parameters<typeof outer.recordDropped>[0]) => outer.recordDropped(reason) },
      applicationId: { value: outer.applicationId },
      taskId: { value: outer.taskId },
      nodeName: { value: outer.nodeName },
      log: { value: outer.log },
    });
    this.#inner.init?.(guarded);
  }

  process(record: Record<K, V>): void {
    this.#key = record.keyDatum;
    try {
      this.#inner.process(record);
    } finally {
      this.#key = undefined;
    }
  }

  close(): void {
    this.#inner.close?.();
  }

  #forward(outer: InternalProcessorContext<K, VOut>, record: Record<K, VOut>, childName: string | undefined): void {
    const key = this.#key;
    if (key === undefined) {
      throw new StreamsError(
        `${outer.nodeName} forwards outside process(): use process() instead of processValues().`,
        {
          code: 'PROCESSING',
          recovery: 'fail',
        },
      );
    }
    if (record.keyDatum !== key) {
      const [before, after] = [key.get(), record.keyDatum.get()];
      if (typeof before !== 'object' && before !== after) {
        throw new StreamsError(`${outer.nodeName} changed a key: use process() instead of processValues().`, {
          code: 'PROCESSING',
          recovery: 'fail',
        });
      }
      record.keyDatum = key;
    }
    outer.forward(record, childName);
  }
}

/** @internal */
export function fixedKeySupplier<K, V, VOut>(
  supplier: ProcessorSupplier<K, V, K, VOut> | (() => Processor<K, V, K, VOut>),
): ProcessorSupplier<K, V, K, VOut> {
  if (typeof supplier === 'function') return { get: () => new FixedKeyProcessor(supplier()) };
  const wrapped: ProcessorSupplier<K, V, K, VOut> = { get: () => new FixedKeyProcessor(supplier.get()) };
  return supplier.stores === undefined ? wrapped : { ...wrapped, stores: () => supplier.stores?.() ?? [] };
}
