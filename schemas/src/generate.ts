import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type AvroComplexSchema, type AvroSchema, inlineSchema } from './inline-schema.ts';

const AVRO_DIRECTORY = fileURLToPath(new URL('../avro/', import.meta.url));

/** Where the generated TypeScript lies; committed, and compared by a test. */
export const GENERATED_FILE = fileURLToPath(new URL('../avro/generated/records.ts', import.meta.url));

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'string',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  boolean: 'boolean',
  bytes: 'Buffer',
  null: 'null',
};

function shortName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}

/** The TypeScript type of a value of `schema`, as the Avro serde gives and takes it. */
function typeOf(schema: AvroSchema): string {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? shortName(schema);
  if (Array.isArray(schema))
    return schema
      .map(typeOf)
      .sort((a, b) => Number(a === 'null') - Number(b === 'null'))
      .join(' | ');
  if (schema.items !== undefined) {
    const item = typeOf(schema.items);
    return `readonly ${item.includes(' ') ? `(${item})` : item}[]`;
  }
  if (schema.values !== undefined) return `Readonly<Record<string, ${typeOf(schema.values)}>>`;
  return typeOf(schema.type);
}

function interfaceOf(schema: AvroComplexSchema): string {
  const fields = (schema.fields ?? []).map(
    (field) => `  /** ${field.doc ?? ''} */\n  readonly ${field.name}: ${typeOf(field.type)};`,
  );
  return `/** ${schema.doc ?? ''} */\nexport interface ${schema.name} {\n${fields.join('\n')}\n}`;
}

/** Reads every `.avsc` file (one record each) and returns the text of {@link GENERATED_FILE}. Throws on an unknown name. */
export function generateRecords(): string {
  const files = readdirSync(AVRO_DIRECTORY)
    .filter((file) => file.endsWith('.avsc'))
    .sort();
  const records = files.map((file) => JSON.parse(readFileSync(AVRO_DIRECTORY + file, 'utf8')) as AvroComplexSchema);
  const byFullName = new Map(records.map((record) => [`${record.namespace}.${record.name}`, record]));
  return [
    '// Generated from schemas/avro/*.avsc by schemas/src/generate.ts. Do not edit.',
    "import type { AvroComplexSchema } from '../../src/inline-schema.ts';",
    '',
    ...records.map((record) => `${interfaceOf(record)}\n`),
    '/** All records by name. */',
    `export interface RecordTypes {\n${records.map((record) => `  ${record.name}: ${record.name};`).join('\n')}\n}`,
    '',
    '/** Self-contained schemas by record name, as they go to the registry. */',
    `export const recordSchemas: { readonly [Name in keyof RecordTypes]: AvroComplexSchema } = {\n${records
      .map((record) => `  ${record.name}: ${JSON.stringify(inlineSchema(record, byFullName))},`)
      .join('\n')}\n};`,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(GENERATED_FILE, generateRecords());
  console.log(`wrote ${GENERATED_FILE}`);
}
