import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeserializationError, SerializationError } from '../../src/base/errors.ts';
import type { RecordBatch } from '../../src/base/record-batch.ts';
import { avro } from '../../src/serde/avro.ts';
import { MemorySchemaRegistry } from '../../src/serde/memory-schema-registry.ts';
import { type SchemaRegistry, SchemaRegistryError } from '../../src/serde/schema-registry.ts';
import { changelogBatch } from '../contract/store-fixture.ts';
import { ManualClock } from '../support/manual-clock.ts';

interface Board {
  readonly id: string;
  readonly defects: number[];
}

const boardV1 = {
  type: 'record',
  name: 'Board',
  namespace: 'chip.quality',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'defects', type: { type: 'array', items: 'int' } },
  ],
};
const boardV2 = { ...boardV1, fields: [...boardV1.fields, { name: 'line', type: 'string', default: 'unknown' }] };

/** A registry that answers later, counts lookups, and can be down. */
class RemoteRegistry implements SchemaRegistry {
  readonly name = 'remote';
  readonly inner = new MemorySchemaRegistry();
  lookups: number[] = [];
  down = false;

  async register(subject: string, schema: string): Promise<number> {
    this.#check();
    return this.inner.register(subject, schema);
  }

  async schemaById(id: number): Promise<string | undefined> {
    this.lookups.push(id);
    this.#check();
    return this.inner.schemaById(id);
  }

  versions(subject: string) {
    this.#check();
    return this.inner.versions(subject);
  }

  #check(): void {
    if (this.down) throw new SchemaRegistryError('Schema registry remote is out of reach', undefined);
  }
}

function valuesBatch(values: readonly (Buffer | null)[]): RecordBatch {
  return changelogBatch(values.map((value) => ({ key: 'k', value: value === null ? null : value.latin1Slice() })));
}

const writes = { topic: 'boards', side: 'value', reads: false, writes: true } as const;
const reads = { topic: 'boards', side: 'value', reads: true, writes: false } as const;

describe('The Avro serde', () => {
  it('writes a zero byte, the schema id in four bytes, then Avro, and registers the schema under the topic', async () => {
    const registry = new RemoteRegistry();
    await registry.inner.register('other', '"string"');
    const serde = avro<Board>(boardV1, { registry });
    await serde.configure?.(writes);
    expect(serde.serialize({ id: 'b1', defects: [1] }, 'boards').toString('hex')).toBe('0000000002046231020200');
    expect(await registry.versions('boards-value')).toHaveLength(1);
  });

  it('asks the registry once per unknown id of a batch, and never again', async () => {
    const registry = new RemoteRegistry();
    const writer = avro<Board>(boardV1, { registry });
    await writer.configure?.(writes);
    const bytes = writer.serialize({ id: 'b1', defects: [] }, 'boards');
    const reader = avro<Board>(boardV1, { registry });
    const batch = valuesBatch([bytes, null, bytes, Buffer.from('no avro'), Buffer.alloc(2)]);
    await reader.prepare?.(batch, 'value');
    expect(registry.lookups).toEqual([1]);
    expect(reader.prepare?.(batch, 'value')).toBeUndefined();
    expect(reader.deserialize(bytes, 0, bytes.length, 'boards')).toEqual({ id: 'b1', defects: [] });
  });

  it('reads older and newer writers with its own schema', async () => {
    const registry = new RemoteRegistry();
    const v1 = avro<Board>(boardV1, { registry });
    const v2 = avro<Board & { line: string }>(boardV2, { registry });
    await v1.configure?.(writes);
    await v2.configure?.(writes);
    const old = v1.serialize({ id: 'b1', defects: [3] }, 'boards');
    const young = v2.serialize({ id: 'b2', defects: [], line: 'L1' }, 'boards');
    await v2.prepare?.(valuesBatch([old]), 'value');
    await v1.prepare?.(valuesBatch([young]), 'value');
    expect(v2.deserialize(old, 0, old.length, 'boards')).toEqual({ id: 'b1', defects: [3], line: 'unknown' });
    expect(v1.deserialize(young, 0, young.length, 'boards')).toEqual({ id: 'b2', defects: [] });
  });

  it('knows all versions of the subjects that it was configured to read, for state that no batch brings', async () => {
    const registry = new RemoteRegistry();
    const v1 = avro<Board>(boardV1, { registry });
    await v1.configure?.(writes);
    const old = v1.serialize({ id: 'b1', defects: [3] }, 'boards');
    const v2 = avro<Board & { line: string }>(boardV2, { registry });
    await v2.configure?.(reads);
    expect(v2.deserialize(old, 0, old.length, 'boards').line).toBe('unknown');
    expect(registry.lookups).toEqual([]);
  });

  it('fails the record of an id that the registry does not know, and asks again only after a while', async () => {
    const registry = new RemoteRegistry();
    const clock = new ManualClock();
    const serde = avro<Board>(boardV1, { registry, clock, unknownIdTtlMs: 1_000 });
    const bytes = Buffer.from('000000006300', 'hex');
    const batch = valuesBatch([bytes]);
    await serde.prepare?.(batch, 'value');
    expect(() => serde.deserialize(bytes, 0, bytes.length, 'boards')).toThrow(DeserializationError);
    expect(() => serde.deserialize(bytes, 0, bytes.length, 'boards')).toThrow(/Topic boards: .* unknown schema id 99/);
    expect(serde.prepare?.(batch, 'value')).toBeUndefined();
    clock.advance(1_000);
    await serde.prepare?.(batch, 'value');
    expect(registry.lookups).toEqual([99, 99]);
  });

  it('rejects with recovery "retry" while the registry is away, and works once it is back', async () => {
    const registry = new RemoteRegistry();
    const writer = avro<Board>(boardV1, { registry });
    await writer.configure?.(writes);
    const bytes = writer.serialize({ id: 'b1', defects: [] }, 'boards');
    const reader = avro<Board>(boardV1, { registry });
    registry.down = true;
    await expect(reader.prepare?.(valuesBatch([bytes]), 'value')).rejects.toMatchObject({ recovery: 'retry' });
    registry.down = false;
    await reader.prepare?.(valuesBatch([bytes]), 'value');
    expect(reader.deserialize(bytes, 0, bytes.length, 'boards').id).toBe('b1');
  });

  it('says why a writer schema cannot be read with ours', async () => {
    const registry = new RemoteRegistry();
    const other = avro<{ id: number }>({ ...boardV1, fields: [{ name: 'id', type: 'int' }] }, { registry });
    await other.configure?.(writes);
    const bytes = other.serialize({ id: 1 }, 'boards');
    const reader = avro<Board>(boardV1, { registry });
    await reader.prepare?.(valuesBatch([bytes]), 'value');
    expect(() => reader.deserialize(bytes, 0, bytes.length, 'boards')).toThrow(/writer schema id 1 can't be read/);
  });

  it('needs no preparation where the registry is in the process, as in the test driver', () => {
    const registry = new MemorySchemaRegistry();
    const serde = avro<Board>(boardV1, { registry });
    const bytes = serde.serialize({ id: 'b1', defects: [] }, 'boards');
    const reader = avro<Board & { line: string }>(boardV2, { registry });
    expect(reader.deserialize(bytes, 0, bytes.length, 'boards')).toEqual({ id: 'b1', defects: [], line: 'unknown' });
  });

  it('refuses values that do not fit the schema, and topics before configure', async () => {
    const registry = new RemoteRegistry();
    const serde = avro<Board>(boardV1, { registry });
    expect(() => serde.serialize({ id: 'b', defects: [] }, 'boards')).toThrow(/configure\(\) first/);
    await serde.configure?.(writes);
    expect(() => serde.serialize({ id: 'b' } as Board, 'boards')).toThrow(SerializationError);
    expect(() => serde.serialize({ id: 5, defects: [] } as never, 'boards')).toThrow(
      /Topic boards: .*Avro chip.quality.Board/,
    );
  });

  it('grows beyond its first buffer, and writes into a given one only where there is room', async () => {
    const registry = new MemorySchemaRegistry();
    const serde = avro<Board>(boardV1, { registry });
    const big = { id: 'x'.repeat(100_000), defects: [1, 2] };
    const bytes = serde.serialize(big, 'boards');
    expect(serde.deserialize(bytes, 0, bytes.length, 'boards')).toEqual(big);
    const room = Buffer.alloc(bytes.length + 2);
    expect(serde.serializeInto?.(big, room, 2, 'boards')).toBe(room.length);
    expect(room.subarray(2)).toEqual(bytes);
    expect(serde.serializeInto?.(big, room.subarray(0, -1), 2, 'boards')).toBe(-1);
    expect(serde.serializeInto?.(big, Buffer.alloc(3), 0, 'boards')).toBe(-1);
  });

  it('takes no longer than the bytes are long for damaged records', { timeout: 10_000 }, () => {
    const registry = new MemorySchemaRegistry();
    const schema = {
      type: 'record',
      name: 'Deep',
      fields: [
        { name: 'names', type: { type: 'array', items: 'string' } },
        { name: 'byName', type: { type: 'map', values: { type: 'array', items: 'long' } } },
        { name: 'maybe', type: ['null', 'double'] },
      ],
    };
    const serde = avro<unknown>(schema, { registry });
    const good = serde.serialize({ names: ['a', 'b'], byName: { x: [1, 2], y: [] }, maybe: 1 }, 't');
    expect(serde.deserialize(good, 0, good.length, 't')).toEqual({
      names: ['a', 'b'],
      byName: { x: [1, 2], y: [] },
      maybe: 1,
    });
    const huge = Buffer.concat([good.subarray(0, 5), Buffer.from('feffffffffffff0f', 'hex'), Buffer.alloc(20)]);
    expect(() => serde.deserialize(huge, 0, huge.length, 't')).toThrow(DeserializationError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (tail) => {
        const bytes = Buffer.concat([good.subarray(0, 5), tail]);
        try {
          serde.deserialize(bytes, 0, bytes.length, 't');
        } catch (error) {
          expect(error).toBeInstanceOf(DeserializationError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses a record that is cut off, has bytes left over, or is no Avro at all', () => {
    const registry = new MemorySchemaRegistry();
    const serde = avro<Board>(boardV1, { registry });
    const good = serde.serialize({ id: 'b1', defects: [1] }, 'boards');
    const read = (bytes: Buffer) => serde.deserialize(bytes, 0, bytes.length, 'boards');
    expect(() => read(good.subarray(0, -2))).toThrow(/cut off/);
    expect(() => read(Buffer.concat([good, Buffer.alloc(2)]))).toThrow(/2 bytes are left over/);
    expect(() => read(Buffer.from('{"json":true}'))).toThrow(/begins with byte 123/);
    expect(() => read(Buffer.alloc(4))).toThrow(/4 bytes are too few/);
  });
});
