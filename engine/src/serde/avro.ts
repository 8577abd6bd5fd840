import '../base/bytes.ts';
import { createHash } from 'node:crypto';
import type { Type } from 'avsc';
import { type Clock, systemClock } from '../base/clock.ts';
import type { DeserializationError } from '../base/errors.ts';
import type { RecordBatch } from '../base/record-batch.ts';
import { guardedAvroType } from './guarded-avro-types.ts';
import { unreadable, unwritable } from './primitives.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import type { Serde, SerdeUse } from './serde.ts';

/**
 * The attributes of an Avro schema object; a record's fields, an array's items and so on are schemas again. The Avro
 * specification says what each of them means.
 */
export interface AvroSchemaObject {
  /** `record`, `enum`, `array`, `map`, `fixed`, a primitive type, or a schema again. */
  readonly type: unknown;
  /** Name of a record, enum or fixed type. */
  readonly name?: string;
  /** Goes in front of the name, with a dot. */
  readonly namespace?: string;
  /** Text for readers of the schema. */
  readonly doc?: string;
  /** Other names under which older schemas have the type. */
  readonly aliases?: readonly string[];
  /** The fields of a record, in the order in which they are written. */
  readonly fields?: readonly unknown[];
  /** The values of an enum. */
  readonly symbols?: readonly string[];
  /** Schema of an array's items. */
  readonly items?: unknown;
  /** Schema of a map's values. */
  readonly values?: unknown;
  /** Length of a fixed type, in bytes. */
  readonly size?: number;
  /** Symbol that stands for those of newer schemas, of an enum. */
  readonly default?: unknown;
  /**
   * What the type means, such as `decimal` or `timestamp-millis`. Values are read and written as the underlying type.
   */
  readonly logicalType?: string;
  /** Digits of a decimal. */
  readonly precision?: number;
  /** Digits of a decimal behind the point. */
  readonly scale?: number;
}

/** An Avro schema: JSON text, a parsed object, or a union. The phantom type is what its values look like; generated schemas may carry it. */
export type AvroSchema<T = unknown> = (string | AvroSchemaObject | readonly unknown[]) & { readonly __type?: T };

/** Where schemas are registered, and under which names. */
export interface AvroOptions {
  /** Knows the schemas that records were written with; must be the same registry for all who share a topic. */
  readonly registry: SchemaRegistry;
  /**
   * Name under which a topic's schema is registered. Default: `<topic>-key` and `<topic>-value`, Confluent's
   * TopicNameStrategy.
   */
  readonly subject?: (topic: string, side: 'key' | 'value') => string;
  /**
   * How long an id that the registry doesn't know stays unknown before it is asked for again, in ms. Default: 60 000.
   */
  readonly unknownIdTtlMs?: number;
  /** What that time is measured with. Default: `systemClock`. */
  readonly clock?: Clock;
}

/** Confluent's wire format: a zero byte, the schema id in 4 bytes big-endian, then Avro binary. */
const MAGIC_BYTE = 0;
const HEADER_BYTES = 5;
const DEFAULT_UNKNOWN_ID_TTL_MS = 60_000;
/** Writer schemas that one serde remembers; more means ids are made up by a broken producer. */
const WRITERS_MAX = 2_000;
const FIRST_SCRATCH_BYTES = 4_096;
/** Kafka's default limit of a message is 1 MB; a value beyond this is a mistake. */
const ENCODED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * What reads `writer`'s bytes as `reader`. Namespaces count where they tell types apart; where full names don't match, the names
 * without them do, as in Java's Avro and in schema registries: a package that moved makes no other record.
 */
function resolverOf(reader: Type, writer: Type): ReturnType<Type['createResolver']> {
  try {
    return reader.createResolver(writer);
  } catch {
    return reader.createResolver(writer, { ignoreNamespaces: true } as object);
  }
}

/** Whether values of this schema can be null. */
function mayBeNull(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(mayBeNull);
  if (typeof schema === 'object' && schema !== null) return mayBeNull((schema as { readonly type?: unknown }).type);
  return schema === 'null';
}

/** What is known about a writer schema id. */
type Writer =
  | { readonly kind: 'readable'; readonly resolver: ReturnType<Type['createResolver']> | undefined }
  | { readonly kind: 'incompatible'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly untilMs: number };

/**
 * Avro in Confluent's wire format.
 *
 * Owns: the reader type, a resolver per writer schema id, our schema's id per topic.
 * Called by: source nodes (`prepare`, then `deserialize`), sinks and stores (`serialize`).
 * Invariants: I1 neither `serialize` nor `deserialize` does I/O; I2 a writer id is resolved at most once, unknown ones once a
 * time to live; I3 decoding uses every byte of the record, or fails.
 */
class AvroSerde<T> implements Serde<T> {
  readonly format: string;
  readonly #type: Type;
  readonly #schemaText: string;
  readonly #mayReadNull: boolean;
  readonly #registry: SchemaRegistry;
  readonly #subject: (topic: string, side: 'key' | 'value') => string;
  readonly #unknownIdTtlMs: number;
  readonly #clock: Clock;
  readonly #writers = new Map<number, Writer>();
  readonly #idByTopic = new Map<string, number>();
  #lastTopic: string | undefined;
  #lastTopicId = 0;
  #lastReadId = -1;
  #lastWriter: Writer | undefined;
  #scratch = Buffer.allocUnsafeSlow(FIRST_SCRATCH_BYTES);

  constructor(schema: AvroSchema<T>, options: AvroOptions) {
    const parsed: unknown = typeof schema === 'string' ? JSON.parse(schema) : schema;
    this.#type = guardedAvroType(parsed);
    this.#schemaText = JSON.stringify(parsed);
    this.#registry = options.registry;
    this.#subject = options.subject ?? ((topic, side) => `${topic}-${side}`);
    this.#unknownIdTtlMs = options.unknownIdTtlMs ?? DEFAULT_UNKNOWN_ID_TTL_MS;
    this.#clock = options.clock ?? systemClock;
    // The whole text, not its canonical form: logical types and defaults make other schemas, with other ids.
    this.format = `avro(${createHash('md5').update(this.#schemaText).digest('hex')} ${options.registry.name})`;
    this.#mayReadNull = mayBeNull(parsed);
  }

  async configure(use: SerdeUse): Promise<void> {
    const subject = this.#subject(use.topic, use.side);
    if (use.writes) this.#learnOwnId(use.topic, await this.#registry.register(subject, this.#schemaText));
    if (use.reads) {
      // State on disk isn't read in batches: what it was written with must be known before.
      for (const version of await this.#registry.versions(subject)) this.#learnWriter(version.id, version.schema);
    }
  }

  prepare(batch: RecordBatch, side: 'key' | 'value'): Promise<void> | undefined {
    const starts = side === 'key' ? batch.keyStarts : batch.valueStarts;
    const ends = side === 'key' ? batch.keyEnds : batch.valueEnds;
    const buffer = batch.buffer;
    let missing: Set<number> | undefined;
    let lastId = -1;
    for (let row = 0; row < batch.count; row += 1) {
      const start = starts[row] as number;
      if (start < 0 || (ends[row] as number) - start < HEADER_BYTES || buffer[start] !== MAGIC_BYTE) continue;
      const id = buffer.readUInt32BE(start + 1);
      if (id === lastId) continue;
      lastId = id;
      if (this.#needsLookup(id)) {
        missing ??= new Set();
        missing.add(id);
      }
    }
    return missing === undefined ? undefined : this.#lookUp(missing);
  }

  serialize(value: T, topic: string): Buffer {
    for (;;) {
      const end = this.serializeInto(value, this.#scratch, 0, topic);
      if (end !== -1) return Buffer.copyBytesFrom(this.#scratch, 0, end);
      const bytes = this.#scratch.length * 2;
      if (bytes > ENCODED_BYTES_MAX) throw unwritable('Avro', topic, `more than ${ENCODED_BYTES_MAX} bytes`);
      this.#scratch = Buffer.allocUnsafeSlow(bytes);
    }
  }

  serializeInto(value: T, buffer: Buffer, position: number, topic: string): number {
    const id = topic === this.#lastTopic ? this.#lastTopicId : this.#ownId(topic);
    const valueStart = position + HEADER_BYTES;
    if (valueStart > buffer.length) return -1;
    let end: number;
    try {
      end = this.#type.encode(value, buffer, valueStart);
    } catch (error) {
      throw unwritable(this.#typeName(), topic, (error as Error).message, error);
    }
    if (end < 0) return -1;
    buffer[position] = MAGIC_BYTE;
    buffer.writeUInt32BE(id, position + 1);
    return end;
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): T {
    if (end - start < HEADER_BYTES) throw unreadable('Avro record', topic, `${end - start} bytes are too few`);
    if (buffer[start] !== MAGIC_BYTE)
      throw unreadable('Avro record', topic, `it begins with byte ${buffer[start]}, not 0`);
    const id = buffer.readUInt32BE(start + 1);
    const writer = id === this.#lastReadId ? this.#lastWriter : this.#writer(id);
    if (writer?.kind !== 'readable') throw this.#unreadableWriter(id, writer, topic);
    const bytes = buffer.subarray(start + HEADER_BYTES, end);
    let decoded: { value: unknown; offset: number };
    try {
      decoded = this.#type.decode(bytes, 0, writer.resolver);
    } catch (error) {
      throw unreadable(this.#typeName(), topic, `schema id ${id}: ${(error as Error).message}`, error);
    }
    if (decoded.offset !== bytes.length) {
      const problem =
        decoded.offset < 0 ? 'the record is cut off' : `${bytes.length - decoded.offset} bytes are left over`;
      throw unreadable(this.#typeName(), topic, `schema id ${id}: ${problem}`);
    }
    return decoded.value as T;
  }

  isOwnForm(buffer: Buffer, start: number, end: number, topic: string): boolean | undefined {
    const id = topic === this.#lastTopic ? this.#lastTopicId : this.#ownIdIfAny(topic);
    // `deserialize` throws for bytes that are too short, and for broken bytes behind our id.
    if (id === undefined || end - start < HEADER_BYTES) return undefined;
    return buffer.readUInt32BE(start + 1) === id ? undefined : false;
  }

  /** A sink writes its own schema id; whether the bytes behind it can be read is for readers to find out. */
  mayPass(buffer: Buffer, start: number, end: number, topic: string): boolean {
    return this.isOwnForm(buffer, start, end, topic) !== false;
  }

  readsAsNull(buffer: Buffer, start: number, end: number, topic: string): boolean {
    if (!this.#mayReadNull) return false;
    try {
      return this.deserialize(buffer, start, end, topic) === null;
    } catch {
      // The node that looks at the value is told.
      return false;
    }
  }

  #typeName(): string {
    return `Avro ${this.#type.name ?? this.#type.typeName}`;
  }

  /** Undefined where this serde only reads. */
  #ownIdIfAny(topic: string): number | undefined {
    let id =
      this.#idByTopic.get(topic) ?? this.#registry.registerSync?.(this.#subject(topic, 'value'), this.#schemaText);
    // A topic chosen per record, or a store without a changelog: any id of our schema describes the bytes.
    if (id === undefined) for (id of this.#idByTopic.values()) break;
    return id;
  }

  #ownId(topic: string): number {
    let id = this.#idByTopic.get(topic);
    if (id === undefined) {
      id = this.#ownIdIfAny(topic);
      if (id === undefined)
        throw unwritable(this.#typeName(), topic, 'the schema was not registered: configure() first');
      this.#learnOwnId(topic, id);
    }
    this.#lastTopic = topic;
    this.#lastTopicId = id;
    return id;
  }

  #learnOwnId(topic: string, id: number): void {
    this.#idByTopic.set(topic, id);
    this.#lastTopic = undefined;
    this.#setWriter(id, { kind: 'readable', resolver: undefined });
  }

  #writer(id: number): Writer | undefined {
    let writer = this.#writers.get(id);
    if (writer === undefined || writer.kind === 'unknown') {
      const schema = this.#registry.schemaByIdSync?.(id);
      if (schema !== undefined) writer = this.#learnWriter(id, schema);
    }
    this.#lastReadId = id;
    this.#lastWriter = writer;
    return writer;
  }

  #unreadableWriter(id: number, writer: Writer | undefined, topic: string): DeserializationError {
    if (writer?.kind === 'incompatible') {
      return unreadable(this.#typeName(), topic, `writer schema id ${id} can't be read with ours: ${writer.reason}`);
    }
    return unreadable(this.#typeName(), topic, `unknown schema id ${id}`);
  }

  #needsLookup(id: number): boolean {
    const writer = this.#writers.get(id);
    if (writer === undefined) return true;
    return writer.kind === 'unknown' && writer.untilMs <= this.#clock.nowMs();
  }

  async #lookUp(ids: ReadonlySet<number>): Promise<void> {
    for (const id of ids) {
      const schema = await this.#registry.schemaById(id);
      if (schema === undefined) {
        this.#setWriter(id, { kind: 'unknown', untilMs: this.#clock.nowMs() + this.#unknownIdTtlMs });
      } else {
        this.#learnWriter(id, schema);
      }
    }
  }

  #learnWriter(id: number, schema: string): Writer {
    const known = this.#writers.get(id);
    if (known !== undefined && known.kind !== 'unknown') return known;
    const writer = this.#resolve(schema);
    this.#setWriter(id, writer);
    return writer;
  }

  #resolve(schema: string): Writer {
    try {
      const writerType = guardedAvroType(JSON.parse(schema));
      const same = writerType.fingerprint('md5').equals(this.#type.fingerprint('md5'));
      return { kind: 'readable', resolver: same ? undefined : resolverOf(this.#type, writerType) };
    } catch (error) {
      return { kind: 'incompatible', reason: (error as Error).message };
    }
  }

  #setWriter(id: number, writer: Writer): void {
    if (this.#writers.size >= WRITERS_MAX && !this.#writers.has(id)) this.#writers.clear();
    this.#writers.set(id, writer);
    this.#lastReadId = -1;
    this.#lastWriter = undefined;
  }
}

/**
 * Avro records in Confluent's wire format: written with `schema`, read with `schema` as the reader's, whatever
 * compatible schema they were written with. `configure` registers the schema and rejects when the registry refuses it;
 * a registry that is out of reach rejects with `recovery: 'retry'`. Longs beyond 2^53 are errors. Throws for what is no
 * Avro schema.
 * @example
 * ```ts
 * const registry = new SchemaRegistryClient({ url: 'http://localhost:8081' });
 * const value = avro<Order>(
 *   {
 *     type: 'record',
 *     name: 'Order',
 *     fields: [
 *       { name: 'id', type: 'string' },
 *       { name: 'customerId', type: 'string' },
 *       { name: 'amount', type: 'double' },
 *     ],
 *   },
 *   { registry },
 * );
 * const orders = builder.stream('orders', { key: string(), value });
 * ```
 */
export function avro<T>(schema: AvroSchema<T>, options: AvroOptions): Serde<T> {
  return new AvroSerde<T>(schema, options);
}
