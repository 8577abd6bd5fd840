/** An Avro schema as parsed JSON. */
export type AvroSchema = string | AvroSchema[] | AvroComplexSchema;

/** A record, array, map or annotated primitive; other attributes (doc, default, logicalType) pass through. */
export interface AvroComplexSchema {
  /** `record`, `array`, `map`, a primitive, or a schema again. */
  readonly type: AvroSchema;
  /** Name of a record. */
  readonly name?: string;
  /** Goes in front of the name, with a dot. */
  readonly namespace?: string;
  /** Text for readers of the schema. */
  readonly doc?: string;
  /** What a primitive means, such as `timestamp-millis`. */
  readonly logicalType?: string;
  /** Schema of an array's items. */
  readonly items?: AvroSchema;
  /** Schema of a map's values. */
  readonly values?: AvroSchema;
  /** A record's fields, in the order in which they are written. */
  readonly fields?: readonly AvroField[];
}

/** One field of a record. A field without `default` is required by readers of older data. */
export interface AvroField {
  /** By which readers find it. */
  readonly name: string;
  /** What it holds; a union with `null` where it may be missing. */
  readonly type: AvroSchema;
  /** Text for readers of the schema. */
  readonly doc?: string;
  /** What readers of older data get. */
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
