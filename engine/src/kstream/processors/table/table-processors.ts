import { TopologyError } from '../../../base/errors.ts';
import type { Datum } from '../../../processor/datum.ts';
import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import { changelogTopicName } from '../../../topology/internal-topics.ts';
import { takesOne } from '../stream/stateless-processors.ts';
import { Change } from './change.ts';
import { encodeForStore, setStored } from './stored-datum.ts';
import { type TableBytesStore, tableBytes, wasPut } from './table-bytes-store.ts';
import { TableForwarder } from './table-forwarder.ts';

/** Where a table is kept, if it is; asked when the task is made, since tables are materialised late. */
export interface TableStore<K, V> {
  /** Name of the store. */
  readonly name: string;
  /** Of the table's keys. */
  readonly keySerde: Serde<K>;
  /** Of the table's values. */
  readonly valueSerde: Serde<V>;
  /** How long a versioned table knows old values, ms of stream time; undefined: it keeps no versions. */
  readonly historyRetentionMs?: number | undefined;
}

/** What the node of a table keeps, and what those below need of it; asked when the task is made. */
export interface TableSpec<K, V> {
  /** Where the table is kept; undefined: nowhere. */
  readonly store: () => TableStore<K, V> | undefined;
  /** Whether somebody below needs old values. */
  readonly sendsOldValues: () => boolean;
  /** The table above keeps versions: some of its changes are history. */
  readonly takesVersions?: () => boolean;
}

/** Of out-of-order updates, the first is told and then each after this many. */
const WARN_EVERY = 1_000;

/** A table's store as its nodes use it. */
export class OpenTableStore<K, V> {
  /** The store beneath the typed one, with its cache. */
  readonly bytes: TableBytesStore;
  /** Of the table's keys. */
  readonly keySerde: Serde<K>;
  /** Of the table's values. */
  readonly valueSerde: Serde<V>;
  /** The changelog's name, which serdes are told. */
  readonly topic: string;

  /** Throws `UNKNOWN_STATE_STORE` where the node is not connected to the store. */
  constructor(context: ProcessorContext<never, never>, store: TableStore<K, V>) {
    this.bytes = tableBytes(context, store.name);
    this.keySerde = store.keySerde;
    this.valueSerde = store.valueSerde;
    this.topic = changelogTopicName(context.applicationId, store.name);
  }

  /** Answers the value's timestamp, -1 where there is none. */
  read(key: Datum<K>, into: Datum<V>): number {
    return setStored(into, this.bytes.get(key.binary(this.keySerde, this.topic)), this.valueSerde, this.topic);
  }

  /** Puts the new value; false where it came too late for a versioned table: then nothing may be forwarded. */
  write(key: Datum<K>, change: Change<V>, timestampMs: number): boolean {
    const { newDatum } = change;
    const bytes = newDatum.isNull ? null : encodeForStore(newDatum, this.valueSerde, this.topic);
    return wasPut(this.bytes.put(key.binary(this.keySerde, this.topic), bytes, timestampMs), change);
  }
}

/**
 * The head of a table: turns records of a topic or stream into changes, keeping the newest value of each key where the table
 * is materialised. In offset order the last record wins, even when it is older by timestamp, as in Kafka Streams.
 */
export class TableSourceProcessor<K, V> implements Processor<K, V, K, Change<V>> {
  readonly #spec: TableSpec<K, V>;
  readonly #change = new Change<V>();
  readonly #output = new Record<K, Change<V>>(null as K, this.#change, 0);
  #context!: InternalProcessorContext<K, Change<V>>;
  #forwarder!: TableForwarder<K, V>;
  #store: OpenTableStore<K, V> | undefined;
  #readsOld = false;
  #outOfOrder = 0;

  constructor(spec: TableSpec<K, V>) {
    this.#spec = spec;
  }

  init(context: ProcessorContext<K, Change<V>>): void {
    this.#context = internalContext(context);
    const store = this.#spec.store();
    this.#store = store === undefined ? undefined : new OpenTableStore(context, store);
    const sendsOldValues = this.#spec.sendsOldValues();
    this.#forwarder = new TableForwarder(this.#context, this.#store, sendsOldValues);
    // A cached store is always read first, as in Kafka Streams: it counts as a use of the entry.
    this.#readsOld = sendsOldValues || this.#forwarder.isCached;
  }

  process(record: Record<K, V>): void {
    if (record.keyDatum.isNull) {
      this.#context.recordDropped('null-key');
      return;
    }
    const store = this.#store;
    if (store !== undefined) {
      if (this.#readsOld) {
        const beforeMs = store.read(record.keyDatum, this.#change.oldDatum);
        if (record.timestamp < beforeMs) this.#warnOutOfOrder(record.timestamp, beforeMs);
      }
      this.#change.newDatum = record.valueDatum;
      if (!store.write(record.keyDatum, this.#change, record.timestamp)) return;
    }
    const output = this.#output;
    this.#change.newDatum = record.valueDatum;
    output.keyDatum = record.keyDatum;
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#forwarder.maybeForward(output);
  }

  /** Told where the table is read anyway (it is cached, or somebody wants old values), and not for every record of a flood. */
  #warnOutOfOrder(timestampMs: number, beforeMs: number): void {
    this.#outOfOrder += 1;
    if (this.#outOfOrder % WARN_EVERY !== 1) return;
    const { nodeName, log } = this.#context;
    const { topic, partition, offset } = this.#context.recordMetadata() ?? {};
    const count = this.#outOfOrder;
    const store = this.#store?.topic;
    const fields = { node: nodeName, store, beforeMs, timestampMs, topic, partition, offset, count };
    log.warn(fields, 'A table got an older value after a newer one');
  }
}

/** What `filter` and `mapValues` of a table share: the change of each side, and the store where the result is materialised. */
abstract class TableValueProcessor<K, V, VOut> implements Processor<K, Change<V>, K, Change<VOut>> {
  readonly #spec: TableSpec<K, VOut>;
  readonly #change = new Change<VOut>();
  readonly #output = new Record<K, Change<VOut>>(null as K, this.#change, 0);
  readonly #dropsUnchangedAbsence: boolean;
  #forwarder!: TableForwarder<K, VOut>;
  #store: OpenTableStore<K, VOut> | undefined;
  #sendsOldValues = false;

  constructor(spec: TableSpec<K, VOut>, dropsUnchangedAbsence: boolean) {
    this.#spec = spec;
    this.#dropsUnchangedAbsence = dropsUnchangedAbsence;
  }

  init(context: ProcessorContext<K, Change<VOut>>): void {
    const store = this.#spec.store();
    this.#store = store === undefined ? undefined : new OpenTableStore(context, store);
    this.#sendsOldValues = this.#spec.sendsOldValues();
    this.#forwarder = new TableForwarder(internalContext(context), this.#store, this.#sendsOldValues);
  }

  /** Puts this table's value for a value of the table above into `into`. */
  protected abstract compute(key: Datum<K>, value: Datum<V>, into: Datum<VOut>): void;

  process(record: Record<K, Change<V>>): void {
    const { keyDatum } = record;
    const above = record.value;
    const { newDatum, oldDatum } = this.#change;
    // The read comes first: a cache may forward during it, through this node, and use its change again.
    if (!this.#sendsOldValues) oldDatum.setNull();
    else if (this.#store !== undefined) this.#store.read(keyDatum, oldDatum);
    this.compute(keyDatum, above.newDatum, newDatum);
    if (this.#sendsOldValues && this.#store === undefined) this.compute(keyDatum, above.oldDatum, oldDatum);

    if (this.#dropsUnchangedAbsence && this.#sendsOldValues && oldDatum.isNull && newDatum.isNull) return;
    if (this.#store === undefined) this.#change.isLatest = above.isLatest;
    else if (!this.#store.write(keyDatum, this.#change, record.timestamp)) return;
    const output = this.#output;
    output.keyDatum = keyDatum;
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#forwarder.maybeForward(output);
  }
}

/** `filter` and `filterNot` of a table: what does not pass is deleted below, if it ever was there. */
export class TableFilterProcessor<K, V> extends TableValueProcessor<K, V, V> {
  readonly #predicate: (key: K, value: V) => boolean;
  readonly #keepsMatches: boolean;

  constructor(spec: TableSpec<K, V>, predicate: (key: K, value: V) => boolean, wanted: boolean) {
    // Below a versioned table nobody knows whether the key passed at that time.
    super(spec, spec.takesVersions?.() !== true);
    this.#predicate = predicate;
    this.#keepsMatches = wanted;
  }

  protected compute(key: Datum<K>, value: Datum<V>, into: Datum<V>): void {
    filterValue(this.#predicate, this.#keepsMatches, key, value, into);
  }
}

/** `mapValues` of a table. */
export class TableMapValuesProcessor<K, V, VOut> extends TableValueProcessor<K, V, VOut> {
  readonly #mapper: (value: V, key: K) => VOut;

  constructor(spec: TableSpec<K, VOut>, mapper: (value: V, key: K) => VOut) {
    super(spec, false);
    this.#mapper = mapper;
  }

  protected compute(key: Datum<K>, value: Datum<V>, into: Datum<VOut>): void {
    mapValue(this.#mapper, key, value, into);
  }
}

/** A table's filter for one value; null stays null without asking the predicate. */
export function filterValue<K, V>(
  predicate: (key: K, value: V) => boolean,
  wanted: boolean,
  key: Datum<K>,
  value: Datum<V>,
  into: Datum<V>,
): void {
  if (value.isNull || Boolean(predicate(key.get(), value.get())) !== wanted) into.setNull();
  else into.setObject(value.get());
}

/** A table's mapper for one value; null stays null without asking the mapper. */
export function mapValue<K, V, VOut>(
  mapper: (value: V, key: K) => VOut,
  key: Datum<K>,
  value: Datum<V>,
  into: Datum<VOut>,
): void {
  if (value.isNull) into.setNull();
  else into.setObject(takesOne(mapper) ? (mapper as (value: V) => VOut)(value.get()) : mapper(value.get(), key.get()));
}

/** `toStream`: the new values, as records. */
export class TableToStreamProcessor<K, V> implements Processor<K, Change<V>, K, V> {
  readonly #output = new Record<K, V>(null as K, null as V, 0);
  #context!: ProcessorContext<K, V>;

  init(context: ProcessorContext<K, V>): void {
    this.#context = context;
  }

  process(record: Record<K, Change<V>>): void {
    const output = this.#output;
    output.keyDatum = record.keyDatum;
    output.valueDatum = record.value.newDatum;
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#context.forward(output);
  }
}

/** The first half of a table's `groupBy`: both values under their new keys, the old one first, to be repartitioned. */
export class TableRepartitionMapProcessor<K, V, KOut, VOut> implements Processor<K, Change<V>, KOut, Change<VOut>> {
  readonly #name: string;
  readonly #mapper: (key: K, value: V) => readonly [KOut, VOut];
  readonly #keySerde: Serde<KOut>;
  /** The table above keeps versions: aggregates are made of the newest values, so changes of the past are left out. */
  readonly #dropsHistory: boolean;
  readonly #change = new Change<VOut>();
  readonly #output = new Record<KOut, Change<VOut>>(null as KOut, this.#change, 0);
  #context!: ProcessorContext<KOut, Change<VOut>>;

  constructor(
    name: string,
    mapper: (key: K, value: V) => readonly [KOut, VOut],
    keySerde: Serde<KOut>,
    dropsHistory: boolean,
  ) {
    this.#name = name;
    this.#mapper = mapper;
    this.#keySerde = keySerde;
    this.#dropsHistory = dropsHistory;
  }

  init(context: ProcessorContext<KOut, Change<VOut>>): void {
    this.#context = context;
  }

  process(record: Record<K, Change<V>>): void {
    const above = record.value;
    if (this.#dropsHistory && !above.isLatest) return;
    const oldPair = this.#pair(record.keyDatum, above.oldDatum);
    const newPair = this.#pair(record.keyDatum, above.newDatum);
    this.#output.timestamp = record.timestamp;
    this.#output.inheritHeaders(record as Record<unknown, unknown>);
    if (oldPair !== undefined && newPair !== undefined && this.#isSameKey(oldPair[0], newPair[0])) {
      this.#forward(newPair[0], newPair[1], oldPair[1]);
      return;
    }
    if (oldPair !== undefined) this.#forward(oldPair[0], null, oldPair[1]);
    if (newPair !== undefined) this.#forward(newPair[0], newPair[1], null);
  }

  /** Undefined where there is no value, or the mapper selects no key or no value. */
  #pair(key: Datum<K>, value: Datum<V>): readonly [KOut, VOut] | undefined {
    if (value.isNull) return undefined;
    const pair = this.#mapper(key.get(), value.get());
    if (!Array.isArray(pair)) throw new TopologyError(`The function of ${this.#name} must return a [key, value] pair.`);
    const [outKey, outValue] = pair as readonly [KOut | null | undefined, VOut | null | undefined];
    const selected = outKey !== null && outKey !== undefined && outValue !== null && outValue !== undefined;
    return selected ? (pair as readonly [KOut, VOut]) : undefined;
  }

  /** By bytes, as keys are compared everywhere: 0 and -0 are two, numbers that one float stands for are one. */
  #isSameKey(a: KOut, b: KOut): boolean {
    if (typeof a !== 'object' && Object.is(a, b)) return true;
    return this.#keySerde.serialize(a, this.#name).equals(this.#keySerde.serialize(b, this.#name));
  }

  #forward(key: KOut, newValue: VOut | null, oldValue: VOut | null): void {
    this.#output.keyDatum.setObject(key);
    this.#change.newDatum.setObject(newValue);
    this.#change.oldDatum.setObject(oldValue);
    this.#context.forward(this.#output);
  }
}
