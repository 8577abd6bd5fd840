import { readFileSync } from 'node:fs';
import avsc from 'avsc';
import { expect, test } from 'vitest';
import { GENERATED_FILE, generateRecords } from '../src/generate.ts';
import { type RecordTypes, recordSchemas } from '../src/index.ts';
import { inlineSchema } from '../src/inline-schema.ts';

test('the committed TypeScript is what the .avsc files generate', () => {
  expect(readFileSync(GENERATED_FILE, 'utf8')).toBe(generateRecords());
});

test('every schema is self-contained and valid Avro, with documentation on every field', () => {
  for (const [name, schema] of Object.entries(recordSchemas)) {
    expect(() => avsc.Type.forSchema(schema as avsc.Schema), name).not.toThrow();
    for (const field of schema.fields ?? []) expect(field.doc, `${name}.${field.name}`).toBeTruthy();
  }
});

test('optional fields have defaults, so that a newer reader takes older data', () => {
  for (const [name, schema] of Object.entries(recordSchemas)) {
    for (const field of schema.fields ?? []) {
      if (Array.isArray(field.type)) expect(field, `${name}.${field.name}`).toHaveProperty('default', null);
    }
  }
});

test('a value survives encoding and decoding', () => {
  const type = avsc.Type.forSchema(recordSchemas.LineYieldState as avsc.Schema);
  const value: RecordTypes['LineYieldState'] = {
    inspected: 3,
    passed: 2,
    failed: 1,
    errored: 0,
    defects: { short: 2 },
    trace_id: '',
    updated_at: 1_700_000_000_000,
    counted: [{ partition: 1, offset: 99 }],
  };
  expect({ ...type.fromBuffer(type.toBuffer(value)) }).toMatchObject({
    inspected: 3,
    defects: { short: 2 },
    updated_at: 1_700_000_000_000,
  });
});

test('a mention of an unknown record is an error that names it', () => {
  const schema = { type: 'record', name: 'A', namespace: 'n', fields: [{ name: 'b', type: 'n.B' }] };
  expect(() => inlineSchema(schema, new Map())).toThrow('Schema A mentions n.B');
});
