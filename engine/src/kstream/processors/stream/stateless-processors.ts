import { TopologyError } from '../../../base/errors.ts';
import { Datum } from '../../../processor/datum.ts';
import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';

// The compiled form of stateless operations. Each node owns one reused output record; a side that does not change is shared
// with the input as it is, bytes included. User functions that declare one parameter get one, so what they don't look at is
// never decoded; functions of unknown length (rest parameters, mocks) get everything.

/** True when a user function looks at its first argument only. */
export function takesOne(userFunction: (...args: never[]) => unknown): boolean {
  return userFunction.length === 1;
}

/** True when the function can be called again on what it returned and nothing can have changed in between. */
function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** What the nodes below share: the context, kept by `init`. */
abstract class StatelessProcessor<KIn, VIn, KOut, VOut> implements Processor<KIn, VIn, KOut, VOut> {
  protected context!: ProcessorContext<KOut, VOut>;

  init(context: ProcessorContext<KOut, VOut>): void {
    this.context = context;
  }

  abstract process(record: Record<KIn, VIn>): void;
}

/** `filter` and `filterNot`. */
export class FilterProcessor<K, V> extends StatelessProcessor<K, V, K, V> {
  readonly #predicate: (key: K, value: V) => boolean;
  readonly #readsKeyOnly: boolean;
  readonly #keepsMatches: boolean;
  readonly #output = new Record<K, V>(null as K, null as V, 0);

  constructor(predicate: (key: K, value: V) => boolean, wanted: boolean) {
    super();
    this.#predicate = predicate;
    this.#readsKeyOnly = takesOne(predicate);
    this.#keepsMatches = wanted;
  }

  process(record: Record<K, V>): void {
    const matches = this.#readsKeyOnly
      ? (this.#predicate as (key: K) => boolean)(record.key)
      : this.#predicate(record.key, record.value);
    if (Boolean(matches) !== this.#keepsMatches) return;
    this.#output.inheritFrom(record);
    this.context.forward(this.#output);
  }
}

/** `mapValues` */
export class MapValuesProcessor<K, V, VOut> extends StatelessProcessor<K, V, K, VOut> {
  readonly #mapper: (value: V, key: K) => VOut;
  readonly #readsValueOnly: boolean;
  readonly #output = new Record<K, VOut>(null as K, null as VOut, 0);
  readonly #value = new Datum<VOut>();

  constructor(mapper: (value: V, key: K) => VOut) {
    super();
    this.#mapper = mapper;
    this.#readsValueOnly = takesOne(mapper);
    this.#output.valueDatum = this.#value;
  }

  process(record: Record<K, V>): void {
    const value = this.#readsValueOnly
      ? (this.#mapper as (value: V) => VOut)(record.value)
      : this.#mapper(record.value, record.key);
    const output = this.#output;
    this.#value.setObject(value);
    output.keyDatum = record.keyDatum;
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.context.forward(output);
  }
}

/** `map`: key and value are new, but for a value that is the same primitive, which keeps its bytes. */
export class MapProcessor<K, V, KOut, VOut> extends StatelessProcessor<K, V, KOut, VOut> {
  readonly #mapper: (key: K, value: V) => readonly [KOut, VOut];
  readonly #readsKeyOnly: boolean;
  readonly #name: string;
  readonly #output = new Record<KOut, VOut>(null as KOut, null as VOut, 0);
  readonly #value = new Datum<VOut>();

  constructor(name: string, mapper: (key: K, value: V) => readonly [KOut, VOut]) {
    super();
    this.#name = name;
    this.#mapper = mapper;
    this.#readsKeyOnly = takesOne(mapper);
  }

  process(record: Record<K, V>): void {
    const pair = this.#readsKeyOnly
      ? (this.#mapper as (key: K) => readonly [KOut, VOut])(record.key)
      : this.#mapper(record.key, record.value);
    if (!Array.isArray(pair)) throw notAPair(this.#name);
    const output = this.#output;
    const value = pair[1] as VOut;
    output.keyDatum.setObject(pair[0]);
    if (record.valueDatum.hasObject && isPrimitive(value) && (value as unknown) === record.value) {
      output.valueDatum = record.valueDatum as unknown as Datum<VOut>;
    } else {
      output.valueDatum = this.#value;
      this.#value.setObject(value);
    }
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.context.forward(output);
  }
}

/** `selectKey`, and the first half of `groupBy`. */
export class SelectKeyProcessor<K, V, KOut> extends StatelessProcessor<K, V, KOut, V> {
  readonly #selector: (key: K, value: V) => KOut;
  readonly #readsKeyOnly: boolean;
  readonly #output = new Record<KOut, V>(null as KOut, null as V, 0);

  constructor(selector: (key: K, value: V) => KOut) {
    super();
    this.#selector = selector;
    this.#readsKeyOnly = takesOne(selector);
  }

  process(record: Record<K, V>): void {
    const key = this.#readsKeyOnly
      ? (this.#selector as (key: K) => KOut)(record.key)
      : this.#selector(record.key, record.value);
    const output = this.#output;
    output.keyDatum.setObject(key);
    output.valueDatum = record.valueDatum;
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.context.forward(output);
  }
}

/** `flatMap` */
export class FlatMapProcessor<K, V, KOut, VOut> extends StatelessProcessor<K, V, KOut, VOut> {
  readonly #name: string;
  readonly #mapper: (key: K, value: V) => Iterable<readonly [KOut, VOut]>;
  readonly #readsKeyOnly: boolean;
  readonly #output = new Record<KOut, VOut>(null as KOut, null as VOut, 0);

  constructor(name: string, mapper: (key: K, value: V) => Iterable<readonly [KOut, VOut]>) {
    super();
    this.#name = name;
    this.#mapper = mapper;
    this.#readsKeyOnly = takesOne(mapper);
  }

  process(record: Record<K, V>): void {
    const pairs = this.#readsKeyOnly
      ? (this.#mapper as (key: K) => Iterable<readonly [KOut, VOut]>)(record.key)
      : this.#mapper(record.key, record.value);
    const output = this.#output;
    for (const pair of pairs) {
      if (!Array.isArray(pair)) throw notAPair(this.#name);
      output.keyDatum.setObject(pair[0]);
      output.valueDatum.setObject(pair[1]);
      output.timestamp = record.timestamp;
      output.inheritHeaders(record as Record<unknown, unknown>);
      this.context.forward(output);
    }
  }
}

/** `flatMapValues` */
export class FlatMapValuesProcessor<K, V, VOut> extends StatelessProcessor<K, V, K, VOut> {
  readonly #mapper: (value: V, key: K) => Iterable<VOut>;
  readonly #readsValueOnly: boolean;
  readonly #output = new Record<K, VOut>(null as K, null as VOut, 0);

  constructor(mapper: (value: V, key: K) => Iterable<VOut>) {
    super();
    this.#mapper = mapper;
    this.#readsValueOnly = takesOne(mapper);
  }

  process(record: Record<K, V>): void {
    const values = this.#readsValueOnly
      ? (this.#mapper as (value: V) => Iterable<VOut>)(record.value)
      : this.#mapper(record.value, record.key);
    const output = this.#output;
    for (const value of values) {
      output.keyDatum = record.keyDatum;
      output.valueDatum.setObject(value);
      output.timestamp = record.timestamp;
      output.inheritHeaders(record as Record<unknown, unknown>);
      this.context.forward(output);
    }
  }
}

/** `peek`, and `foreach`, which forwards nothing. */
export class PeekProcessor<K, V> extends StatelessProcessor<K, V, K, V> {
  readonly #action: (key: K, value: V) => void;
  readonly #readsKeyOnly: boolean;
  readonly #forwards: boolean;
  readonly #output = new Record<K, V>(null as K, null as V, 0);

  constructor(action: (key: K, value: V) => void, forwards: boolean) {
    super();
    this.#action = action;
    this.#readsKeyOnly = takesOne(action);
    this.#forwards = forwards;
  }

  process(record: Record<K, V>): void {
    if (this.#readsKeyOnly) (this.#action as (key: K) => void)(record.key);
    else this.#action(record.key, record.value);
    if (!this.#forwards) return;
    this.#output.inheritFrom(record);
    this.context.forward(this.#output);
  }
}

/** `merge`, and the ends of branches. They and `split` hand on the record itself, headers included, as in Kafka Streams. */
export class PassThroughProcessor<K, V> extends StatelessProcessor<K, V, K, V> {
  process(record: Record<K, V>): void {
    this.context.forward(record);
  }
}

/** A branch of `split`. */
export interface Branch<K, V> {
  /** Undefined for the default branch, which takes what is left. */
  readonly predicate: ((key: K, value: V) => boolean) | undefined;
  /** The node that takes the branch's records. */
  readonly childName: string;
}

/** `split`: hands each record to the first branch that wants it. */
export class BranchProcessor<K, V> extends StatelessProcessor<K, V, K, V> {
  readonly #branches: readonly Branch<K, V>[];

  constructor(branches: readonly Branch<K, V>[]) {
    super();
    this.#branches = branches;
  }

  process(record: Record<K, V>): void {
    for (const { predicate, childName } of this.#branches) {
      if (predicate === undefined || passes(predicate, record)) {
        this.context.forward(record, childName);
        return;
      }
    }
  }
}

function passes<K, V>(predicate: (key: K, value: V) => boolean, record: Record<K, V>): boolean {
  return takesOne(predicate) ? (predicate as (key: K) => boolean)(record.key) : predicate(record.key, record.value);
}

/** In front of a repartition topic: a record without a key has no partition to go to. */
export class KeyFilterProcessor<K, V> implements Processor<K, V, K, V> {
  #context!: InternalProcessorContext<K, V>;

  init(context: ProcessorContext<K, V>): void {
    this.#context = internalContext(context);
  }

  process(record: Record<K, V>): void {
    if (record.keyDatum.isNull) this.#context.recordDropped('null-key');
    else this.#context.forward(record);
  }
}

function notAPair(name: string): TopologyError {
  return new TopologyError(`The function of ${name} must return [key, value] pairs.`);
}
