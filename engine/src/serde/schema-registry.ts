import { StreamsError } from '../base/errors.ts';

/** A writer schema as a registry keeps it: ids are the registry's, the schema is JSON text. */
export interface RegisteredSchema {
  /** Number that the registry gave the schema; records carry it. */
  readonly id: number;
  /** The schema as JSON text. */
  readonly schema: string;
}

/**
 * Where Avro writer schemas come from. Lookups are asynchronous and made once a batch at most, never per record; a registry
 * in the same process may answer at once by the `…Sync` methods, which the test driver's synchronous records need.
 */
export interface SchemaRegistry {
  /** Distinguishes registries whose ids mean different schemas. */
  readonly name: string;
  /** Registers a schema under a subject (again, harmlessly) and answers its id. Rejects with {@link SchemaRegistryError}. */
  register(subject: string, schema: string): Promise<number>;
  /** Undefined when the registry doesn't know the id. Rejects with {@link SchemaRegistryError} while it is out of reach. */
  schemaById(id: number): Promise<string | undefined>;
  /** The newest versions of a subject; empty when there is none. */
  versions(subject: string): Promise<readonly RegisteredSchema[]>;
  /** Registers a schema and answers its id at once. Absent: only `register` can. */
  registerSync?(subject: string, schema: string): number;
  /** The schema of an id, at once; undefined where it isn't known. Absent: only `schemaById` can. */
  schemaByIdSync?(id: number): string | undefined;
}

/**
 * The registry refused, or can't be reached. Code `SCHEMA_REGISTRY`; `recovery` is `retry` for outages, `fail` for
 * refusals.
 */
export class SchemaRegistryError extends StreamsError {
  override readonly name = 'SchemaRegistryError';
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;

  /**
   * `message` says what was asked and what the registry answered. No status, 408, 429 and 500 or more count as an
   * outage.
   */
  constructor(message: string, status: number | undefined, cause?: unknown) {
    const outage = status === undefined || status >= 500 || status === 429 || status === 408;
    super(message, { code: 'SCHEMA_REGISTRY', recovery: outage ? 'retry' : 'fail', cause });
    this.status = status;
  }
}
