import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import type { Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { Windowed } from '../../../serde/windowed.ts';
import type { StateStore, StoredValue } from '../../../state/state-store.ts';
import { changelogTopicName } from '../../../topology/internal-topics.ts';
import type { EmitStrategy } from '../../windows/emit-strategy.ts';
import type { Change } from '../table/change.ts';
import { encodeForStore, setStored } from '../table/stored-datum.ts';
import { TableForwarder } from '../table/table-forwarder.ts';
import type { AggregateSpec } from './aggregate-processor.ts';
import type { EmittingNode } from './close-schedule.ts';
import { fold, startFold } from './fold.ts';
import { WindowedOutput } from './windowed-output.ts';

/**
 * What aggregations in windows of any kind share: their store, and the way out of what they fold, at once or when a window closes.
 * `S` is the bytes store, `E` emits what has closed.
 *
 * Owns: the observed stream time and the output; the state is the store's.
 * Called by: the task.
 * Invariants: I1 stream time is the highest timestamp of all keys that reached `observe`; I2 there is either a forwarder or an emitter.
 */
export abstract class WindowedAggregateProcessor<K, V, A, S extends StateStore, E>
  implements Processor<K, V, Windowed<K>, Change<A>>
{
  /** Store, serdes and the functions that fold. */
  protected readonly spec: AggregateSpec<K, V, A>;
  /** The record that is filled and forwarded for each window. */
  protected readonly output: WindowedOutput<K, A>;
  /** The task's; set by `init`. */
  protected context!: InternalProcessorContext<Windowed<K>, Change<A>>;
  /** The bytes store of the windows; set by `init`. */
  protected store!: S;
  /** Forwards each update; undefined where windows are emitted when they close. */
  protected forwarder: TableForwarder<Windowed<K>, A> | undefined;
  /** Emits windows that have closed; undefined where each update is forwarded. */
  protected emitter: E | undefined;
  /** The changelog's, which serdes are told. */
  protected topic = '';
  readonly #windowedSerde: Serde<Windowed<K>>;
  readonly #strategy: EmitStrategy | undefined;
  #observedStreamTimeMs = -1;

  /** Without a strategy every update is forwarded. */
  constructor(spec: AggregateSpec<K, V, A>, windowedSerde: Serde<Windowed<K>>, strategy: EmitStrategy | undefined) {
    this.spec = spec;
    this.output = new WindowedOutput(windowedSerde);
    this.#windowedSerde = windowedSerde;
    this.#strategy = strategy;
  }

  abstract process(record: Record<K, V>): void;
  /** What emits closed windows of this kind; called by `init` where the strategy is to wait for the close. */
  protected abstract newEmitter(node: EmittingNode<K, A, S>): E;

  init(context: ProcessorContext<Windowed<K>, Change<A>>): void {
    const { storeName, valueSerde } = this.spec;
    const internal = internalContext(context);
    const store = context.getStateStore<StateStore & { readonly bytes: S }>(storeName).bytes;
    const topic = changelogTopicName(context.applicationId, storeName);
    this.context = internal;
    this.store = store;
    this.topic = topic;
    this.output.open(topic);
    if (this.#strategy?.kind === 'close') {
      this.emitter = this.newEmitter({ context: internal, store, storeName, valueSerde, topic, output: this.output });
    } else {
      const kept = { bytes: store, keySerde: this.#windowedSerde, valueSerde, topic };
      this.forwarder = new TableForwarder(internal, kept, this.spec.sendsOldValues());
    }
  }

  /** Moves stream time and answers it. */
  protected observe(timestampMs: number): number {
    if (timestampMs > this.#observedStreamTimeMs) this.#observedStreamTimeMs = timestampMs;
    return this.#observedStreamTimeMs;
  }

  /** Folds the record into what a window holds, or begins it; answers the bytes to store. The output's change is then that of the window. */
  protected foldInto(before: StoredValue | undefined, record: Record<K, V>): Buffer | null {
    const { valueSerde, aggregation } = this.spec;
    const { change } = this.output;
    if (before === undefined) startFold(aggregation, change);
    else setStored(change.oldDatum, before, valueSerde, this.topic);
    fold(aggregation, record, change);
    return encodeForStore(change.newDatum, valueSerde, this.topic);
  }

  /** Forwards the output, whose key and change are set, unless it waits for its window to close. No record: no headers. */
  protected forward(timestampMs: number, record: Record<K, V> | undefined): void {
    if (this.forwarder === undefined) return;
    const output = this.output.record;
    output.timestamp = timestampMs;
    if (record === undefined) output.resetHeaders(undefined);
    else output.inheritHeaders(record as Record<unknown, unknown>);
    this.forwarder.maybeForward(output);
  }
}
