import { readFileSync } from 'node:fs';
import avsc from 'avsc';
import { describe, expect, test } from 'vitest';
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

describe('records from before there were second opinions', () => {
  const secondOpinion = { label: 'background', defect_type: null, probability: 0.75, disagrees: true };
  const defect = { id: 'd', defect_type: 'void', label: 'pin_hole', severity: 'low', x: 1, y: 2, width: 3, height: 4 };
  const results = {
    model_version: '1',
    defects: [{ ...defect, confidence: 0.5, second_opinion: secondOpinion }],
    confidence_score: 0.5,
    confidence_threshold: 0.43,
    processing_time_ms: 12,
    defects_detected: 1,
    batch_size: 4,
  };
  const now = avsc.Type.forSchema(recordSchemas.InferenceResults as avsc.Schema);
  const before = avsc.Type.forSchema(withoutField(recordSchemas.InferenceResults, 'second_opinion') as avsc.Schema);

  test('are read by the newer schema: nobody was asked', () => {
    const bytes = before.toBuffer({ ...results, defects: [{ ...defect, confidence: 0.5 }] });
    const read = now.fromBuffer(bytes, now.createResolver(before)) as typeof results;
    expect(read.defects[0]?.second_opinion).toBeNull();
    expect(read.defects[0]).toMatchObject(defect);
  });

  test('may still be what a reader expects: it leaves second opinions out', () => {
    const read = before.fromBuffer(now.toBuffer(results), before.createResolver(now)) as typeof results;
    expect(read.defects[0]).toMatchObject({ ...defect, confidence: 0.5 });
    expect(read.defects[0]).not.toHaveProperty('second_opinion');
  });

  test('are followed by all that carry defects', () => {
    for (const name of ['InferenceEvent', 'InspectionEvent', 'InspectionState'] as const) {
      const newer = avsc.Type.forSchema(recordSchemas[name] as avsc.Schema);
      const older = avsc.Type.forSchema(withoutField(recordSchemas[name], 'second_opinion') as avsc.Schema);
      expect(() => newer.createResolver(older), name).not.toThrow();
      expect(() => older.createResolver(newer), name).not.toThrow();
    }
  });
});

test('a mention of an unknown record is an error that names it', () => {
  const schema = { type: 'record', name: 'A', namespace: 'n', fields: [{ name: 'b', type: 'n.B' }] };
  expect(() => inlineSchema(schema, new Map())).toThrow('Schema A mentions n.B');
});

/** The schema as it was before it had a field of this name anywhere. */
function withoutField(schema: unknown, field: string): unknown {
  if (Array.isArray(schema)) {
    return schema.filter((each) => each?.name !== field).map((each) => withoutField(each, field));
  }
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withoutField(value, field)]));
}
