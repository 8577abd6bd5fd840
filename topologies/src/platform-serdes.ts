import { type AvroComplexSchema, type RecordTypes, recordSchemas } from '@chip-quality/schemas';
import { type Serde, string } from 'millrace';

/** A serde for each record that the topologies read, write or keep, by the record's name, and `key` for all keys. */
export type PlatformSerdes = { readonly [Name in keyof RecordTypes]: Serde<RecordTypes[Name]> } & {
  /** Strings, UTF-8. */
  readonly key: Serde<string>;
};

/**
 * Makes the serdes with the caller's way of writing Avro, e.g. `(schema) => avro(schema, { registry })`. State is Avro too,
 * so that a changelog outlives a change of its schema.
 */
export function createPlatformSerdes(make: <T>(schema: AvroComplexSchema) => Serde<T>): PlatformSerdes {
  const serdes: Record<string, Serde<unknown>> = { key: string() as Serde<unknown> };
  for (const [name, schema] of Object.entries(recordSchemas)) serdes[name] = make<unknown>(schema);
  return serdes as PlatformSerdes;
}
