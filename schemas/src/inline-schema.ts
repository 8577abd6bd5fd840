/** An Avro schema as parsed JSON. */
export type AvroSchema = string | AvroSchema[] | AvroComplexSchema;

/** A record, array, map or annotated primitive; other attributes (doc, default, logicalType) pass through. */
export interface AvroComplexSchema {
  readonly type: AvroSchema;
  readonly name?: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly logicalType?: string;
  readonly items?: AvroSchema;
  readonly values?: AvroSchema;
  readonly fields?: readonly AvroField[];
}

/** One field of a record. A field without `default` is required by readers of older data. */
export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly doc?: string;
  readonly default?: unknown;
}

/**
 * Makes a schema self-contained, as a registry wants it: the first mention of each record defined in another file is replaced
 * by its definition, later ones stay names. `byFullName` holds all records by `namespace.name`. Throws when a name is unknown.
 */
export function inlineSchema(
  schema: AvroComplexSchema,
  byFullName: ReadonlyMap<string, AvroComplexSchema>,
): AvroComplexSchema {
  const defined = new Set<string>();
  const inline = (node: AvroSchema): AvroSchema => {
    if (typeof node === 'string') {
      if (!node.includes('.') || defined.has(node)) return node;
      const target = byFullName.get(node);
      if (target === undefined) throw new Error(`Schema ${schema.name} mentions ${node}, which no .avsc file defines`);
      return inline(target);
    }
    if (Array.isArray(node)) return node.map(inline);
    if (node.type === 'record') {
      defined.add(`${node.namespace}.${node.name}`);
      return { ...node, fields: (node.fields ?? []).map((field) => ({ ...field, type: inline(field.type) })) };
    }
    if (node.items !== undefined) return { ...node, items: inline(node.items) };
    if (node.values !== undefined) return { ...node, values: inline(node.values) };
    return node;
  };
  return inline(schema) as AvroComplexSchema;
}
