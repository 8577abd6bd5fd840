import { TopologyError } from '../base/errors.ts';
import type {
  AsyncItem,
  AsyncOperator,
  MapAsyncOptions,
  MicroBatchOptions,
  PipeRecord,
  StreamOperator,
} from '../processor/async-operator.ts';
import type { OffsetStoringSink, Processor, ProcessorSupplier } from '../processor/processor.ts';
import type { Serde } from '../serde/serde.ts';
import type { TopicNameExtractor } from '../topology/topology.ts';
import type { BranchedKStream } from './branched-k-stream.ts';
import type { GlobalKTable } from './global-k-table.ts';
import {
  AsyncGraphNode,
  ExternalSinkGraphNode,
  ProcessorGraphNode,
  type RepartitionNode,
  SinkGraphNode,
} from './graph/graph-node.ts';
import type { JoinWindows } from './join-windows.ts';
import type { KGroupedStream } from './k-grouped-stream.ts';
import type { KTable } from './k-table.ts';
import { fixedKeySupplier } from './nodes/fixed-key-processor.ts';
import { type PrintedOptions, printing } from './nodes/print-processor.ts';
import {
  FilterProcessor,
  FlatMapProcessor,
  FlatMapValuesProcessor,
  MapProcessor,
  MapValuesProcessor,
  PassThroughProcessor,
  PeekProcessor,
  SelectKeyProcessor,
} from './nodes/stateless-processors.ts';
import type { StreamJoiner } from './nodes/stream-join-spec.ts';
import { StreamTableJoinProcessor } from './nodes/stream-table-join-processor.ts';
import type {
  GroupedOptions,
  JoinedOptions,
  NamedOptions,
  ProcessOptions,
  ProducedOptions,
  RepartitionedOptions,
  TableOptions,
} from './options.ts';
import { required, type StreamParts } from './parts.ts';
import { repartition } from './repartition.ts';
import { joinStreams, type StreamJoinedOptions, type StreamJoinKind } from './stream-stream-join.ts';
import { joinStreamTable } from './stream-table-join.ts';
import { streamToTable } from './table-source.ts';

/** A processor's supplier, or simply a function that makes one. */
export type ProcessorFactory<KIn, VIn, KOut, VOut> =
  | ProcessorSupplier<KIn, VIn, KOut, VOut>
  | (() => Processor<KIn, VIn, KOut, VOut>);

/**
 * A stream of records: each is a fact of its own (in a {@link KTable}, each replaces the one before). Methods add operations
 * and answer the stream that follows; nothing runs until the built topology does.
 *
 * Functions of the user get plain keys and values, any of which may be null where the topic holds nulls. They must not change
 * what they get: several branches may look at the same object. A function that declares one parameter gets only the first
 * argument, and what it doesn't look at is not decoded.
 */
export class KStream<K, V> {
  readonly #parts: StreamParts<K, V>;
  /** Made by the last join of a stream with a changed key that needed a new one; unnamed joins share it. */
  #joinRepartition: RepartitionNode | undefined;

  /** @internal Streams come from `StreamsBuilder.stream` and from other streams. */
  constructor(parts: StreamParts<K, V>) {
    this.#parts = parts;
  }

  /** @internal */
  get parts(): StreamParts<K, V> {
    return this.#parts;
  }

  /** Keeps records that the predicate is true for. */
  filter<V2 extends V>(predicate: (key: K, value: V) => value is V2, options?: NamedOptions): KStream<K, V2>;
  filter(predicate: (key: K, value: V) => boolean, options?: NamedOptions): KStream<K, V>;
  filter(predicate: (key: K, value: V) => boolean, options: NamedOptions = {}): KStream<K, V> {
    return this.#unchanged('KSTREAM-FILTER-', options, () => new FilterProcessor(predicate, true));
  }

  /** Keeps records that the predicate is false for. */
  filterNot(predicate: (key: K, value: V) => boolean, options: NamedOptions = {}): KStream<K, V> {
    return this.#unchanged('KSTREAM-FILTER-', options, () => new FilterProcessor(predicate, false));
  }

  /** One record from each, with a new key and value. Changes the key, so a stateful operation below repartitions. */
  map<K2, V2>(mapper: (key: K, value: V) => readonly [K2, V2], options: NamedOptions = {}): KStream<K2, V2> {
    return this.#rekeyed('KSTREAM-MAP-', options, (name) => new MapProcessor(name, mapper), undefined);
  }

  /** A new value for each record; the key stays, and with it the partitioning. */
  mapValues<V2>(mapper: (value: V, key: K) => V2, options: NamedOptions = {}): KStream<K, V2> {
    return this.#revalued('KSTREAM-MAPVALUES-', options, () => new MapValuesProcessor(mapper));
  }

  /** Any number of records from each. Changes the key. */
  flatMap<K2, V2>(
    mapper: (key: K, value: V) => Iterable<readonly [K2, V2]>,
    options: NamedOptions = {},
  ): KStream<K2, V2> {
    return this.#rekeyed('KSTREAM-FLATMAP-', options, (name) => new FlatMapProcessor(name, mapper), undefined);
  }

  /** Any number of values from each; the key stays. */
  flatMapValues<V2>(mapper: (value: V, key: K) => Iterable<V2>, options: NamedOptions = {}): KStream<K, V2> {
    return this.#revalued('KSTREAM-FLATMAPVALUES-', options, () => new FlatMapValuesProcessor(mapper));
  }

  /** A new key for each record. */
  selectKey<K2>(selector: (key: K, value: V) => K2, options: NamedOptions = {}): KStream<K2, V> {
    return this.#rekeyed(
      'KSTREAM-KEY-SELECT-',
      options,
      () => new SelectKeyProcessor<K, V, K2>(selector),
      this.#parts.valueSerde,
    );
  }

  /** Calls the action for each record and passes it on: for logs and counters. */
  peek(action: (key: K, value: V) => void, options: NamedOptions = {}): KStream<K, V> {
    return this.#unchanged('KSTREAM-PEEK-', options, () => new PeekProcessor(action, true));
  }

  /** Calls the action for each record; the end of a stream. */
  foreach(action: (key: K, value: V) => void, options: NamedOptions = {}): void {
    this.#unchanged('KSTREAM-FOREACH-', options, () => new PeekProcessor(action, false));
  }

  /** Writes each record as a line, `[label]: key, value`, to the standard output or a file: for looking at a stream. */
  print(options: PrintedOptions<K, V> = {}): void {
    const label = options.label ?? this.#parts.node.name;
    this.#unchanged('KSTREAM-PRINTER-', options, printing(options, label));
  }

  /** Both streams as one, without an order between them. */
  merge(other: KStream<K, V>, options: NamedOptions = {}): KStream<K, V> {
    const { dsl, keySerde, valueSerde } = this.#parts;
    const others = other.parts;
    const name = dsl.graph.names.named(options.name, 'KSTREAM-MERGE-');
    const node = dsl.graph.add(
      new ProcessorGraphNode(name, [this.#parts.node, others.node], { get: () => new PassThroughProcessor() }),
    );
    node.isMerge = true;
    return dsl.stream({
      dsl,
      node,
      keySerde: keySerde?.format === others.keySerde?.format ? keySerde : undefined,
      valueSerde: valueSerde?.format === others.valueSerde?.format ? valueSerde : undefined,
      sources: [...new Set([...this.#parts.sources, ...others.sources])],
      repartitionRequired: this.#parts.repartitionRequired || others.repartitionRequired,
    });
  }

  /** Splits into branches: each record goes to the first branch whose predicate takes it. */
  split(options: NamedOptions = {}): BranchedKStream<K, V> {
    return this.#parts.dsl.branched(this.#parts, options.name);
  }

  /** Groups by a new key, through a repartition topic. */
  groupBy<K2>(selector: (key: K, value: V) => K2, options: GroupedOptions<K2, V> = {}): KGroupedStream<K2, V> {
    const { parts } = this.selectKey(selector, { name: options.name });
    return parts.dsl.groupedStream(parts, options);
  }

  /** Groups by the key; repartitions only where the key has changed before. */
  groupByKey(options: GroupedOptions<K, V> = {}): KGroupedStream<K, V> {
    return this.#parts.dsl.groupedStream(this.#parts, options);
  }

  /** Sends the stream through a repartition topic, whether it needs one or not. */
  repartition(options: RepartitionedOptions<K, V> = {}): KStream<K, V> {
    const { dsl } = this.#parts;
    const topicPrefix = options.name ?? dsl.graph.names.processorName('KSTREAM-REPARTITION-');
    const named = options.name !== undefined;
    return dsl.stream(
      repartition(this.#parts, { ...options, topicPrefix, named, isExplicit: true, operation: 'repartition' }),
    );
  }

  /** Reads the stream as a table: each record is the newest value of its key, null deletes. */
  toTable(options: TableOptions<K, V> = {}): KTable<K, V> {
    return streamToTable(this.#parts, options);
  }

  /** Joins each record with the table's value of its key at that moment; without one there is no result. */
  join<VT, VOut>(
    table: KTable<K, VT>,
    joiner: (left: V, right: VT, key: K) => VOut,
    options?: JoinedOptions<K, V>,
  ): KStream<K, VOut>;
  /** Joins each record with a global table's value of a selected key; needs no co-partitioning. */
  join<KT, VT, VOut>(
    table: GlobalKTable<KT, VT>,
    keySelector: (key: K, value: V) => KT | null | undefined,
    joiner: (left: V, right: VT, key: K) => VOut,
    options?: NamedOptions,
  ): KStream<K, VOut>;
  /**
   * Joins each record with those of another stream that have its key and are in its window of time, whichever comes first.
   * Both streams are kept for as long as partners may come.
   */
  join<VR, VOut>(
    other: KStream<K, VR>,
    joiner: (left: V, right: VR, key: K) => VOut,
    windows: JoinWindows,
    options?: StreamJoinedOptions<K, V, VR>,
  ): KStream<K, VOut>;
  join(other: Joinable<K>, ...rest: unknown[]): unknown {
    if (other instanceof KStream) return this.#joinStream<never>(other, rest, 'inner');
    return this.#joinTable(other, rest, false);
  }

  /** As {@link KStream.join}; where the table has no value the joiner gets null. */
  leftJoin<VT, VOut>(
    table: KTable<K, VT>,
    joiner: (left: V, right: VT | null, key: K) => VOut,
    options?: JoinedOptions<K, V>,
  ): KStream<K, VOut>;
  leftJoin<KT, VT, VOut>(
    table: GlobalKTable<KT, VT>,
    keySelector: (key: K, value: V) => KT | null | undefined,
    joiner: (left: V, right: VT | null, key: K) => VOut,
    options?: NamedOptions,
  ): KStream<K, VOut>;
  /** As {@link KStream.join}; a record that found no partner until its window closed meets null, with its own timestamp. */
  leftJoin<VR, VOut>(
    other: KStream<K, VR>,
    joiner: (left: V, right: VR | null, key: K) => VOut,
    windows: JoinWindows,
    options?: StreamJoinedOptions<K, V, VR>,
  ): KStream<K, VOut>;
  leftJoin(other: Joinable<K>, ...rest: unknown[]): unknown {
    if (other instanceof KStream) return this.#joinStream<never>(other, rest, 'left');
    return this.#joinTable(other, rest, true);
  }

  /** As {@link KStream.leftJoin}, for unmatched records of both streams. */
  outerJoin<VR, VOut>(
    other: KStream<K, VR>,
    joiner: (left: V | null, right: VR | null, key: K) => VOut,
    windows: JoinWindows,
    options?: StreamJoinedOptions<K, V, VR>,
  ): KStream<K, VOut> {
    return this.#joinStream(other as unknown as KStream<K, unknown>, [joiner, windows, options], 'outer');
  }

  /** A processor of your own, which may change keys, use stores and punctuators. */
  process<K2, V2>(supplier: ProcessorFactory<K, V, K2, V2>, options: ProcessOptions = {}): KStream<K2, V2> {
    return this.#processed<K2, V2>(
      'KSTREAM-PROCESSOR-',
      supplier as ProcessorFactory<K, V, unknown, unknown>,
      options,
      {
        keySerde: undefined,
        repartitionRequired: true,
      },
    );
  }

  /** A processor that may change values only: one that forwards another key fails. */
  processValues<V2>(supplier: ProcessorFactory<K, V, K, V2>, options: ProcessOptions = {}): KStream<K, V2> {
    const { keySerde, repartitionRequired } = this.#parts;
    const fixed = fixedKeySupplier(supplier) as ProcessorFactory<K, V, unknown, unknown>;
    return this.#processed<K, V2>('KSTREAM-PROCESSVALUES-', fixed, options, { keySerde, repartitionRequired });
  }

  /**
   * A promise for each value. Results re-enter the stream in input order (or as `ordered` says), and an input offset is
   * committed only when everything before it has finished. A result of undefined drops the record.
   */
  mapAsync<V2>(map: (item: AsyncItem<K, V>) => Promise<V2 | undefined>, options: MapAsyncOptions): KStream<K, V2> {
    const operator = { kind: 'mapAsync', map, options } as AsyncOperator;
    return this.#asynchronous('KSTREAM-MAPASYNC-', options.name, operator, this.#parts.keySerde);
  }

  /**
   * One promise for several records: batches of exactly the preferred sizes, smaller ones only after `maxDelayMs`. `map`
   * answers the new values in the items' order.
   */
  microBatch<V2>(
    options: MicroBatchOptions<K, V>,
    map: (items: readonly AsyncItem<K, V>[], signal: AbortSignal) => Promise<readonly V2[]>,
  ): KStream<K, V2> {
    const operator = { kind: 'microBatch', map, options } as unknown as AsyncOperator;
    return this.#asynchronous('KSTREAM-MICROBATCH-', options.name, operator, this.#parts.keySerde);
  }

  /**
   * RxJS operators over the records. The last operator emits the records that go on, `{ key, value }`. Before each commit the
   * source completes, so operators work on bundles.
   */
  pipe<K2, V2>(o1: StreamOperator<AsyncItem<K, V>, PipeRecord<K2, V2>>): KStream<K2, V2>;
  pipe<A, K2, V2>(o1: StreamOperator<AsyncItem<K, V>, A>, o2: StreamOperator<A, PipeRecord<K2, V2>>): KStream<K2, V2>;
  pipe<A, B, K2, V2>(
    o1: StreamOperator<AsyncItem<K, V>, A>,
    o2: StreamOperator<A, B>,
    o3: StreamOperator<B, PipeRecord<K2, V2>>,
  ): KStream<K2, V2>;
  pipe<A, B, C, K2, V2>(
    o1: StreamOperator<AsyncItem<K, V>, A>,
    o2: StreamOperator<A, B>,
    o3: StreamOperator<B, C>,
    o4: StreamOperator<C, PipeRecord<K2, V2>>,
  ): KStream<K2, V2>;
  pipe<A, B, C, D, K2, V2>(
    o1: StreamOperator<AsyncItem<K, V>, A>,
    o2: StreamOperator<A, B>,
    o3: StreamOperator<B, C>,
    o4: StreamOperator<C, D>,
    o5: StreamOperator<D, PipeRecord<K2, V2>>,
  ): KStream<K2, V2>;
  pipe(...operators: readonly StreamOperator<never, unknown>[]): unknown {
    if (operators.length === 0) throw new TopologyError('pipe() needs at least one operator.');
    const operator = { kind: 'pipe', operators } as unknown as AsyncOperator;
    return this.#asynchronous<never, never>('KSTREAM-PIPE-', undefined, operator, undefined);
  }

  /** Writes to a topic, or to the topic that a function names for each record (such topics must exist). */
  to(topic: string | TopicNameExtractor<K, V>, options: ProducedOptions<K, V> = {}): void {
    const { dsl, node } = this.#parts;
    const name = dsl.graph.names.named(options.name, 'KSTREAM-SINK-');
    const operation = typeof topic === 'string' ? `to('${topic}')` : 'to(…)';
    const sink = {
      key: required(options.key ?? this.#parts.keySerde, 'key', operation),
      value: required(options.value ?? this.#parts.valueSerde, 'value', operation),
      partitioner: options.partitioner,
    };
    dsl.graph.add(new SinkGraphNode(name, node, topic as TopicNameExtractor<unknown, unknown>, sink as never));
  }

  /** Writes to a system that keeps the input offsets in the same transaction as its rows: exactly once without Kafka's help. */
  toExternal(supplier: () => OffsetStoringSink<K, V>, options: NamedOptions = {}): void {
    const { dsl, node } = this.#parts;
    const name = dsl.graph.names.named(options.name, 'KSTREAM-EXTERNAL-SINK-');
    dsl.graph.add(new ExternalSinkGraphNode(name, node, supplier as () => OffsetStoringSink<unknown, unknown>));
  }

  #unchanged(prefix: string, options: NamedOptions, make: () => Processor<K, V, K, V>): KStream<K, V> {
    const node = this.#add(prefix, options, make as () => Processor);
    return this.#parts.dsl.stream({ ...this.#parts, node });
  }

  #revalued<V2>(prefix: string, options: NamedOptions, make: () => Processor<K, V, K, V2>): KStream<K, V2> {
    const node = this.#add(prefix, options, make as () => Processor);
    node.changesValue = true;
    return this.#parts.dsl.stream({ ...this.#parts, node, valueSerde: undefined });
  }

  #rekeyed<K2, V2>(
    prefix: string,
    options: NamedOptions,
    make: (name: string) => Processor<K, V, K2, V2>,
    valueSerde: Serde<V2> | undefined,
  ): KStream<K2, V2> {
    const node = this.#add(prefix, options, make as (name: string) => Processor);
    node.changesKey = true;
    return this.#parts.dsl.stream({ ...this.#parts, node, keySerde: undefined, valueSerde, repartitionRequired: true });
  }

  #add(prefix: string, options: NamedOptions, make: (name: string) => Processor): ProcessorGraphNode {
    const { graph } = this.#parts.dsl;
    const name = graph.names.named(options.name, prefix);
    return graph.add(new ProcessorGraphNode(name, [this.#parts.node], { get: () => make(name) }));
  }

  #processed<K2, V2>(
    prefix: string,
    supplier: ProcessorFactory<K, V, unknown, unknown>,
    options: ProcessOptions,
    result: { readonly keySerde: Serde<K2> | undefined; readonly repartitionRequired: boolean },
  ): KStream<K2, V2> {
    const { dsl, sources } = this.#parts;
    // The one operation whose given name uses up no number in Kafka Streams.
    const name = options.name ?? dsl.graph.names.processorName(prefix);
    const asSupplier = (typeof supplier === 'function' ? { get: supplier } : supplier) as ProcessorSupplier;
    const node = new ProcessorGraphNode(name, [this.#parts.node], asSupplier, { connected: options.stores ?? [] });
    // Nothing is moved across a processor of the user, which Kafka Streams' optimiser does unless it is told not to.
    node.changesValue = true;
    return dsl.stream({ dsl, node: dsl.graph.add(node), valueSerde: undefined, sources, ...result });
  }

  #asynchronous<K2, V2>(
    prefix: string,
    userName: string | undefined,
    operator: AsyncOperator,
    keySerde: Serde<K2> | undefined,
  ): KStream<K2, V2> {
    const { dsl, sources, repartitionRequired } = this.#parts;
    const name = dsl.graph.names.named(userName, prefix);
    const node = dsl.graph.add(new AsyncGraphNode(name, this.#parts.node, operator));
    const rekeys = operator.kind === 'pipe';
    node.changesValue = true;
    return dsl.stream({
      dsl,
      node,
      keySerde,
      valueSerde: undefined,
      sources,
      repartitionRequired: repartitionRequired || rekeys,
    });
  }

  #joinStream<VOut>(other: KStream<K, unknown>, rest: readonly unknown[], kind: StreamJoinKind): KStream<K, VOut> {
    type Rest = [StreamJoiner<K, V, unknown, VOut>, JoinWindows, StreamJoinedOptions<K, V, unknown>?];
    const [joiner, windows, options = {}] = rest as Rest;
    const { key, value, otherValue, name } = options;
    const left = this.#copartitioned({ key, value, name: name && `${name}-left` });
    const right = other.#copartitioned({ key, value: otherValue, name: name && `${name}-right` });
    return joinStreams(left, right, joiner, windows, options, kind);
  }

  #copartitioned(options: JoinedOptions<K, V>): StreamParts<K, V> {
    return this.#parts.repartitionRequired ? this.#repartitionForJoin(options) : this.#parts;
  }

  #joinTable(
    table: KTable<K, unknown> | GlobalKTable<unknown, unknown>,
    rest: readonly unknown[],
    leftJoin: boolean,
  ): KStream<K, never> {
    const prefix = leftJoin ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-';
    const { dsl } = this.#parts;
    if ('globalStore' in table) {
      const [keySelector, joiner, options] = rest as [(key: K, value: V) => unknown, Joiner<K, V>, NamedOptions?];
      const getter = table.globalStore;
      // Kafka Streams names both kinds of global join alike.
      const name = dsl.graph.names.named(options?.name, 'KSTREAM-LEFTJOIN-');
      const supplier = {
        get: () => new StreamTableJoinProcessor({ table: getter, keySelector, joiner, leftJoin }),
      };
      const node = dsl.graph.add(new ProcessorGraphNode(name, [this.#parts.node], supplier as ProcessorSupplier));
      node.toleratesNullKey = leftJoin;
      return dsl.stream({ ...this.#parts, node, valueSerde: undefined });
    }
    const [joiner, options = {}] = rest as [Joiner<K, V>, JoinedOptions<K, V>?];
    return joinStreamTable(this.#copartitioned(options), table.parts, { joiner, leftJoin, prefix, options });
  }

  #repartitionForJoin(options: JoinedOptions<K, V>): StreamParts<K, V> {
    const named = options.name !== undefined;
    const topicPrefix = options.name ?? this.#parts.node.name;
    const { key, value } = options;
    const plan = { key, value, topicPrefix, named, operation: 'join' };
    const repartitioned = repartition(this.#parts, plan, named ? undefined : this.#joinRepartition);
    this.#joinRepartition = repartitioned.node as RepartitionNode;
    return repartitioned;
  }
}

type Joinable<K> = KStream<K, unknown> | KTable<K, unknown> | GlobalKTable<unknown, unknown>;
type Joiner<K, V> = (left: V, right: unknown, key: K) => never;
