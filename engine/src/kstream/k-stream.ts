import { TopologyError } from '../base/errors.ts';
import type {
  AsyncItem,
  AsyncOperator,
  MapAsyncOptions,
  MicroBatchOptions,
  PipeRecord,
  StreamOperator,
} from '../processor/async-operator.ts';
import type { OffsetStoringSink } from '../processor/processor.ts';
import type { TopicNameExtractor } from '../topology/topology.ts';
import type { BranchedKStream } from './branched-k-stream.ts';
import type { GlobalKTable } from './global-k-table.ts';
import { ExternalSinkGraphNode, SinkGraphNode } from './graph/graph-node.ts';
import type { KGroupedStream } from './k-grouped-stream.ts';
import type { KTable } from './k-table.ts';
import { required, type StreamDefinition } from './operations/definitions.ts';
import { repartition } from './operations/repartition.ts';
import { type JoinableTable, StreamJoins } from './operations/stream-joins.ts';
import {
  asynchronous,
  merged,
  type ProcessorFactory,
  processed,
  rekeyed,
  revalued,
  unchanged,
} from './operations/stream-operations.ts';
import type { StreamJoinedOptions } from './operations/stream-stream-join.ts';
import { streamToTable } from './operations/table-source.ts';
import type {
  GroupedOptions,
  JoinedOptions,
  NamedOptions,
  PrintedOptions,
  ProcessOptions,
  ProducedOptions,
  RepartitionedOptions,
  TableOptions,
} from './options.ts';
import { fixedKeySupplier } from './processors/stream/fixed-key-processor.ts';
import { printing } from './processors/stream/print-processor.ts';
import {
  FilterProcessor,
  FlatMapProcessor,
  FlatMapValuesProcessor,
  MapProcessor,
  MapValuesProcessor,
  PeekProcessor,
  SelectKeyProcessor,
} from './processors/stream/stateless-processors.ts';
import type { JoinWindows } from './windows/join-windows.ts';

/**
 * A stream of records: each is a fact of its own (in a {@link KTable}, each replaces the one before). Methods add
 * operations and answer the stream that follows; nothing runs until the built topology does.
 *
 * Functions of the user get plain keys and values, any of which may be null where the topic holds nulls. They must not
 * change what they get: several branches may look at the same object. A function that declares one parameter gets only
 * the first argument, and what it doesn't look at is not decoded. What a function throws goes to the processing
 * exception handler.
 *
 * What can't work (no serde, equal names, streams of two builders) throws `TopologyError` (code `TOPOLOGY`) at the call
 * or in `StreamsBuilder.build`, with the node and the remedy.
 */
export class KStream<K, V> {
  readonly #definition: StreamDefinition<K, V>;
  readonly #joins: StreamJoins<K, V>;

  /** @internal Streams come from `StreamsBuilder.stream` and from other streams. */
  constructor(definition: StreamDefinition<K, V>) {
    this.#definition = definition;
    this.#joins = new StreamJoins(definition);
  }

  /** @internal */
  get definition(): StreamDefinition<K, V> {
    return this.#definition;
  }

  /**
   * Keeps records that the predicate is true for; a type predicate narrows the value's type. Keeps the partitioning.
   * @example
   * ```ts
   * orders
   *   .filter((_id, order) => order.amount > 0)
   *   .mapValues((order) => order.amount)
   *   .peek((id, amount) => console.log(id, amount))
   *   .to('amounts', { value: double() });
   * ```
   */
  filter<V2 extends V>(predicate: (key: K, value: V) => value is V2, options?: NamedOptions): KStream<K, V2>;
  filter(predicate: (key: K, value: V) => boolean, options?: NamedOptions): KStream<K, V>;
  filter(predicate: (key: K, value: V) => boolean, options: NamedOptions = {}): KStream<K, V> {
    return unchanged(this.#definition, 'KSTREAM-FILTER-', options, () => new FilterProcessor(predicate, true));
  }

  /** Keeps records that the predicate is false for. Keeps the partitioning. */
  filterNot(predicate: (key: K, value: V) => boolean, options: NamedOptions = {}): KStream<K, V> {
    return unchanged(this.#definition, 'KSTREAM-FILTER-', options, () => new FilterProcessor(predicate, false));
  }

  /**
   * One record from each, with a new key and value. May change the key, so a stateful operation below repartitions;
   * where the key stays, `mapValues` spares that.
   * @example
   * ```ts
   * orders.map((_id, order) => [order.customerId, order.amount]).to('amounts-by-customer', { key: string(), value: double() });
   * ```
   */
  map<K2, V2>(mapper: (key: K, value: V) => readonly [K2, V2], options: NamedOptions = {}): KStream<K2, V2> {
    return rekeyed(this.#definition, 'KSTREAM-MAP-', options, (name) => new MapProcessor(name, mapper), undefined);
  }

  /** A new value for each record; the key stays, and with it the partitioning. */
  mapValues<V2>(mapper: (value: V, key: K) => V2, options: NamedOptions = {}): KStream<K, V2> {
    return revalued(this.#definition, 'KSTREAM-MAPVALUES-', options, () => new MapValuesProcessor(mapper));
  }

  /**
   * Any number of records from each, in the order of the iterable. May change the key, so a stateful operation below
   * repartitions.
   */
  flatMap<K2, V2>(
    mapper: (key: K, value: V) => Iterable<readonly [K2, V2]>,
    options: NamedOptions = {},
  ): KStream<K2, V2> {
    return rekeyed(
      this.#definition,
      'KSTREAM-FLATMAP-',
      options,
      (name) => new FlatMapProcessor(name, mapper),
      undefined,
    );
  }

  /**
   * Any number of values from each, in the order of the iterable; the key stays, and with it the partitioning.
   * @example
   * ```ts
   * builder
   *   .stream('lines', { key: string(), value: string() })
   *   .flatMapValues((line) => line.toLowerCase().split(/\W+/))
   *   .groupBy((_key, word) => word, { key: string(), value: string(), name: 'by-word' })
   *   .count({ materialized: { name: 'words' } });
   * ```
   */
  flatMapValues<V2>(mapper: (value: V, key: K) => Iterable<V2>, options: NamedOptions = {}): KStream<K, V2> {
    return revalued(this.#definition, 'KSTREAM-FLATMAPVALUES-', options, () => new FlatMapValuesProcessor(mapper));
  }

  /** A new key for each record; the value stays as it is. A stateful operation below repartitions. */
  selectKey<K2>(selector: (key: K, value: V) => K2, options: NamedOptions = {}): KStream<K2, V> {
    return rekeyed(
      this.#definition,
      'KSTREAM-KEY-SELECT-',
      options,
      () => new SelectKeyProcessor<K, V, K2>(selector),
      this.#definition.valueSerde,
    );
  }

  /**
   * Calls the action for each record and passes the record on: for logs and counters. The action runs again when a
   * record is processed again.
   */
  peek(action: (key: K, value: V) => void, options: NamedOptions = {}): KStream<K, V> {
    return unchanged(this.#definition, 'KSTREAM-PEEK-', options, () => new PeekProcessor(action, true));
  }

  /**
   * Calls the action for each record; the end of a stream. The action runs again when a record is processed again:
   * `toExternal` is for writing to other systems.
   */
  foreach(action: (key: K, value: V) => void, options: NamedOptions = {}): void {
    unchanged(this.#definition, 'KSTREAM-FOREACH-', options, () => new PeekProcessor(action, false));
  }

  /** Writes each record as a line, `[label]: key, value`, to the standard output or a file: for looking at a stream. */
  print(options: PrintedOptions<K, V> = {}): void {
    const label = options.label ?? this.#definition.node.name;
    unchanged(this.#definition, 'KSTREAM-PRINTER-', options, printing(options, label));
  }

  /**
   * Both streams as one, without an order between them. Repartitioned below if either needs it.
   * @example
   * ```ts
   * const web = builder.stream('web-orders', { key: string(), value: json<Order>() });
   * const shop = builder.stream('shop-orders', { key: string(), value: json<Order>() });
   * web.merge(shop).to('all-orders', { key: string(), value: json<Order>() });
   * ```
   */
  merge(other: KStream<K, V>, options: NamedOptions = {}): KStream<K, V> {
    return merged(this.#definition, other.definition, options);
  }

  /**
   * Splits into branches: each record goes to the first branch whose predicate takes it. Nothing is repartitioned.
   * @example
   * ```ts
   * const branches = orders
   *   .split({ name: 'size-' })
   *   .branch((_id, order) => order.amount >= 1_000, { name: 'large' })
   *   .defaultBranch({ name: 'small' });
   * branches.get('size-large')?.to('large-orders');
   * branches.get('size-small')?.to('small-orders');
   * ```
   */
  split(options: NamedOptions = {}): BranchedKStream<K, V> {
    return this.#definition.dsl.branched(this.#definition, options.name);
  }

  /**
   * Groups by a new key, through a repartition topic, for an aggregation. A key of null drops the record. `options.key`
   * is required: the serde of the new key is known to nobody else.
   * @example
   * ```ts
   * orders
   *   .groupBy((_id, order) => order.customerId, { key: string(), name: 'by-customer' })
   *   .aggregate(() => 0, (_customer, order, total) => total + order.amount, { value: double(), materialized: { name: 'turnover' } })
   *   .toStream()
   *   .to('turnover', { value: double() });
   * ```
   */
  groupBy<K2>(selector: (key: K, value: V) => K2, options: GroupedOptions<K2, V> = {}): KGroupedStream<K2, V> {
    const { definition } = this.selectKey(selector, { name: options.name });
    return definition.dsl.groupedStream(definition, options);
  }

  /**
   * Groups by the key, for an aggregation; repartitions only where the key has changed before.
   * @example
   * ```ts
   * orders.groupByKey().count({ materialized: { name: 'changes-of-order' } });
   * ```
   */
  groupByKey(options: GroupedOptions<K, V> = {}): KGroupedStream<K, V> {
    return this.#definition.dsl.groupedStream(this.#definition, options);
  }

  /**
   * Sends the stream through a repartition topic, whether it needs one or not: to spread work over more partitions, or
   * to choose the topic's name, serdes or partitioner.
   * @example
   * ```ts
   * orders
   *   .selectKey((_id, order) => order.customerId)
   *   .repartition({ name: 'by-customer', key: string(), value: json(), partitions: 12 });
   * ```
   */
  repartition(options: RepartitionedOptions<K, V> = {}): KStream<K, V> {
    const { dsl } = this.#definition;
    const topicPrefix = options.name ?? dsl.graph.names.processorName('KSTREAM-REPARTITION-');
    const named = options.name !== undefined;
    return dsl.stream(
      repartition(this.#definition, { ...options, topicPrefix, named, isExplicit: true, operation: 'repartition' }),
    );
  }

  /**
   * Reads the stream as a table: each record is the newest value of its key, null deletes. Repartitions where the key
   * has changed before.
   */
  toTable(options: TableOptions<K, V> = {}): KTable<K, V> {
    return streamToTable(this.#definition, options);
  }

  /**
   * Joins each record with the table's value of its key at that moment; without one there is no result. Only the stream
   * triggers results, with its own timestamps. Both topics need equal partition counts, else the start throws
   * `TOPOLOGY`. With `graceMs` and a versioned table, the value is the one that held at the record's time.
   * @example
   * ```ts
   * orders
   *   .selectKey((_id, order) => order.customerId)
   *   .join(customers, (order, customer) => ({ ...order, region: customer.region }), { name: 'customer', key: string(), value: json() })
   *   .to('orders-with-region', { key: string(), value: json() });
   * ```
   */
  join<VT, VOut>(
    table: KTable<K, VT>,
    joiner: (left: V, right: VT, key: K) => VOut,
    options?: JoinedOptions<K, V>,
  ): KStream<K, VOut>;
  /**
   * Joins each record with a global table's value of a selected key; a key of null, or one without a value, has no
   * result. Partition counts need not match.
   * @example
   * ```ts
   * const regions = builder.globalTable('regions', { key: string(), value: string() });
   * orders
   *   .join(regions, (_id, order) => order.customerId, (order, region) => ({ ...order, region }))
   *   .to('orders-with-region', { value: json() });
   * ```
   */
  join<KT, VT, VOut>(
    table: GlobalKTable<KT, VT>,
    keySelector: (key: K, value: V) => KT | null | undefined,
    joiner: (left: V, right: VT, key: K) => VOut,
    options?: NamedOptions,
  ): KStream<K, VOut>;
  /**
   * Joins each record with those of another stream that have its key and are in its window of time, whichever comes
   * first; every pair is a result, with the later timestamp. Both streams are kept for as long as partners may come.
   * Both topics need equal partition counts.
   * @example
   * ```ts
   * const payments = builder.stream('payments', { key: string(), value: double() });
   * orders
   *   .join(payments, (order, paid) => order.amount - paid, JoinWindows.ofTimeDifferenceAndGrace(10 * minuteMs, minuteMs), {
   *     name: 'settle',
   *     storeName: 'settle',
   *   })
   *   .to('still-due', { value: double() });
   * ```
   */
  join<VR, VOut>(
    other: KStream<K, VR>,
    joiner: (left: V, right: VR, key: K) => VOut,
    windows: JoinWindows,
    options?: StreamJoinedOptions<K, V, VR>,
  ): KStream<K, VOut>;
  join(other: Joinable<K>, ...rest: unknown[]): unknown {
    if (other instanceof KStream) return this.#joins.withStream<never>(other.#joins, rest, 'inner');
    return this.#joins.withTable(other, rest, false);
  }

  /**
   * Joins each record with the table's value of its key at that moment; where there is none, the joiner gets null.
   * Everything else as in {@link KStream.join} with a table.
   */
  leftJoin<VT, VOut>(
    table: KTable<K, VT>,
    joiner: (left: V, right: VT | null, key: K) => VOut,
    options?: JoinedOptions<K, V>,
  ): KStream<K, VOut>;
  /** Joins each record with a global table's value of a selected key; where there is none, the joiner gets null. */
  leftJoin<KT, VT, VOut>(
    table: GlobalKTable<KT, VT>,
    keySelector: (key: K, value: V) => KT | null | undefined,
    joiner: (left: V, right: VT | null, key: K) => VOut,
    options?: NamedOptions,
  ): KStream<K, VOut>;
  /**
   * Joins two streams as {@link KStream.join} does; a record of this stream that has found no partner until its window
   * closed meets null, with its own timestamp.
   */
  leftJoin<VR, VOut>(
    other: KStream<K, VR>,
    joiner: (left: V, right: VR | null, key: K) => VOut,
    windows: JoinWindows,
    options?: StreamJoinedOptions<K, V, VR>,
  ): KStream<K, VOut>;
  leftJoin(other: Joinable<K>, ...rest: unknown[]): unknown {
    if (other instanceof KStream) return this.#joins.withStream<never>(other.#joins, rest, 'left');
    return this.#joins.withTable(other, rest, true);
  }

  /**
   * Joins two streams as {@link KStream.join} does; a record of either stream that has found no partner until its
   * window closed meets null, with its own timestamp.
   */
  outerJoin<VR, VOut>(
    other: KStream<K, VR>,
    joiner: (left: V | null, right: VR | null, key: K) => VOut,
    windows: JoinWindows,
    options?: StreamJoinedOptions<K, V, VR>,
  ): KStream<K, VOut> {
    return this.#joins.withStream(
      (other as unknown as KStream<K, unknown>).#joins,
      [joiner, windows, options],
      'outer',
    );
  }

  /**
   * A processor of your own, which may change keys, use stores and punctuators, and forward any number of records. A
   * stateful operation below repartitions.
   * @example
   * ```ts
   * class Changes implements Processor<string, Order, string, number> {
   *   #context!: ProcessorContext<string, number>;
   *   #amounts!: KeyValueStore<string, number>;
   *
   *   init(context: ProcessorContext<string, number>): void {
   *     this.#context = context;
   *     this.#amounts = context.getStateStore('amounts');
   *   }
   *
   *   process(record: Record<string, Order>): void {
   *     const before = this.#amounts.get(record.key) ?? 0;
   *     this.#amounts.put(record.key, record.value.amount);
   *     this.#context.forward(record.withValue(record.value.amount - before));
   *   }
   * }
   *
   * builder.addStateStore(Stores.keyValueStoreBuilder({ name: 'amounts', key: string(), value: double() }));
   * orders.process(() => new Changes(), { name: 'changes', stores: ['amounts'] }).to('changes', { key: string(), value: double() });
   * ```
   */
  process<K2, V2>(supplier: ProcessorFactory<K, V, K2, V2>, options: ProcessOptions = {}): KStream<K2, V2> {
    return processed<K, V, K2, V2>(
      this.#definition,
      'KSTREAM-PROCESSOR-',
      supplier as ProcessorFactory<K, V, unknown, unknown>,
      options,
      {
        keySerde: undefined,
        repartitionRequired: true,
      },
    );
  }

  /**
   * A processor that may change values only, so that nothing below repartitions. One that forwards another key fails
   * with `PROCESSING`, as does one that forwards in a punctuator.
   * @example
   * ```ts
   * class Rounded implements Processor<string, Order, string, number> {
   *   #context!: ProcessorContext<string, number>;
   *
   *   init(context: ProcessorContext<string, number>): void {
   *     this.#context = context;
   *   }
   *
   *   process(record: Record<string, Order>): void {
   *     this.#context.forward(record.withValue(Math.round(record.value.amount)));
   *   }
   * }
   *
   * orders.processValues(() => new Rounded()).to('rounded', { value: double() });
   * ```
   */
  processValues<V2>(supplier: ProcessorFactory<K, V, K, V2>, options: ProcessOptions = {}): KStream<K, V2> {
    const { keySerde, repartitionRequired } = this.#definition;
    const fixed = fixedKeySupplier(supplier) as ProcessorFactory<K, V, unknown, unknown>;
    return processed<K, V, K, V2>(this.#definition, 'KSTREAM-PROCESSVALUES-', fixed, options, {
      keySerde,
      repartitionRequired,
    });
  }

  /**
   * A promise for each value. Results re-enter the stream in input order (or as `ordered` says), and an input offset is
   * committed only when everything before it has finished. A result of undefined drops the record. A call that fails
   * for good goes to the processing exception handler. No counterpart in Kafka Streams.
   * @example
   * ```ts
   * orders
   *   .mapAsync(
   *     async ({ value, signal }) => {
   *       const answer = await fetch(`https://scores.example/${value.customerId}`, { signal });
   *       return { ...value, score: Number(await answer.text()) };
   *     },
   *     { concurrency: 16, ordered: 'key', timeoutMs: 2_000, retry: { attempts: 3, backoffMs: 100 } },
   *   )
   *   .to('scored-orders', { value: json() });
   * ```
   */
  mapAsync<V2>(map: (item: AsyncItem<K, V>) => Promise<V2 | undefined>, options: MapAsyncOptions): KStream<K, V2> {
    const operator = { kind: 'mapAsync', map, options } as AsyncOperator;
    return asynchronous(this.#definition, 'KSTREAM-MAPASYNC-', options.name, operator, this.#definition.keySerde);
  }

  /**
   * One promise for several records: batches of exactly the preferred sizes, smaller ones only after `maxDelayMs`.
   * `map` answers the new values in the items' order, one an item; undefined drops a record. No counterpart in Kafka
   * Streams.
   * @example
   * ```ts
   * declare function classify(images: readonly Buffer[]): Promise<readonly string[]>;
   *
   * builder
   *   .stream('images', { key: string(), value: bytes() })
   *   .microBatch({ preferredSizes: [4, 8, 16], maxDelayMs: 5, sizeOf: (image) => image.length }, (items) =>
   *     classify(items.map(({ value }) => value)),
   *   )
   *   .to('classes', { value: string() });
   * ```
   */
  microBatch<V2>(
    options: MicroBatchOptions<K, V>,
    map: (items: readonly AsyncItem<K, V>[], signal: AbortSignal) => Promise<readonly V2[]>,
  ): KStream<K, V2> {
    const operator = { kind: 'microBatch', map, options } as unknown as AsyncOperator;
    return asynchronous(this.#definition, 'KSTREAM-MICROBATCH-', options.name, operator, this.#definition.keySerde);
  }

  /**
   * RxJS operators over the records. The last operator emits the records that go on, `{ key, value }`. Before each
   * commit the source completes, so operators work on bundles, and what they gather (`scan`, `buffer`) begins anew with
   * the next. An error fails every record of its bundle. No counterpart in Kafka Streams. Throws `TOPOLOGY` without an
   * operator.
   * @example
   * ```ts
   * import { bufferCount, map } from 'rxjs';
   *
   * orders
   *   .pipe(
   *     bufferCount(100),
   *     map((items) => ({ key: 'orders', value: items.reduce((sum, { value }) => sum + value.amount, 0) })),
   *   )
   *   .to('turnover-of-hundred', { key: string(), value: double() });
   * ```
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
    return asynchronous<K, V, never, never>(this.#definition, 'KSTREAM-PIPE-', undefined, operator, undefined);
  }

  /**
   * Writes to a topic, or to the topic that a function names for each record. Topics must exist. Timestamps and headers
   * are those of the record. Serdes are inherited where key and value are still those of the source; else `options`
   * must give them.
   * @example
   * ```ts
   * orders.to('orders-copy');
   * orders.to((_id, order) => (order.amount >= 1_000 ? 'large-orders' : 'small-orders'));
   * // What was `through` in older Kafka Streams: write, and read again.
   * orders.to('orders-checked');
   * builder.stream('orders-checked', { key: string(), value: json<Order>() }).foreach((id) => console.log(id));
   * ```
   */
  to(topic: string | TopicNameExtractor<K, V>, options: ProducedOptions<K, V> = {}): void {
    const { dsl, node } = this.#definition;
    const name = dsl.graph.names.named(options.name, 'KSTREAM-SINK-');
    const operation = typeof topic === 'string' ? `to('${topic}')` : 'to(…)';
    const sink = {
      key: required(options.key ?? this.#definition.keySerde, 'key', operation),
      value: required(options.value ?? this.#definition.valueSerde, 'value', operation),
      partitioner: options.partitioner,
    };
    dsl.graph.add(new SinkGraphNode(name, node, topic as TopicNameExtractor<unknown, unknown>, sink as never));
  }

  /**
   * Writes to a system that keeps the input offsets in the same transaction as its rows: exactly once without Kafka's
   * help. `supplier` makes one sink a task. No counterpart in Kafka Streams.
   */
  toExternal(supplier: () => OffsetStoringSink<K, V>, options: NamedOptions = {}): void {
    const { dsl, node } = this.#definition;
    const name = dsl.graph.names.named(options.name, 'KSTREAM-EXTERNAL-SINK-');
    dsl.graph.add(new ExternalSinkGraphNode(name, node, supplier as () => OffsetStoringSink<unknown, unknown>));
  }
}

/** What the right side of {@link KStream.join} may be. */
type Joinable<K> = KStream<K, unknown> | JoinableTable<K>;
