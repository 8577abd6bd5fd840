import { useTestStack } from '@chip-quality/dev/testing';
import { describe, expect, it } from 'vitest';
import { avro } from '../../src/serde/avro.ts';
import { SchemaRegistryClient } from '../../src/serde/schema-registry-client.ts';
import { changelogBatch } from '../contract/store-fixture.ts';

const stack = useTestStack(['registry']);

const boardV1 = { type: 'record', name: 'Board', namespace: 'engine.test', fields: [{ name: 'id', type: 'string' }] };
const boardV2 = { ...boardV1, fields: [...boardV1.fields, { name: 'line', type: 'string', default: 'unknown' }] };

describe('The Avro serde with a real registry', () => {
  it('reads through one client what was written through another, over schema versions', async () => {
    const topic = stack.uniqueName('boards');
    const writer = avro<{ id: string }>(boardV1, { registry: new SchemaRegistryClient({ url: stack.registryUrl }) });
    await writer.configure?.({ topic, side: 'value', reads: false, writes: true });
    const bytes = writer.serialize({ id: 'b1' }, topic);

    const registry = new SchemaRegistryClient({ url: stack.registryUrl });
    const reader = avro<{ id: string; line: string }>(boardV2, { registry });
    await reader.prepare?.(changelogBatch([{ key: 'k', value: bytes.latin1Slice() }]), 'value');
    expect(reader.deserialize(bytes, 0, bytes.length, topic)).toEqual({ id: 'b1', line: 'unknown' });

    await reader.configure?.({ topic, side: 'value', reads: true, writes: true });
    expect(await registry.versions(`${topic}-value`)).toHaveLength(2);
    const rereader = avro<{ id: string; line: string }>(boardV2, {
      registry: new SchemaRegistryClient({ url: stack.registryUrl }),
    });
    await rereader.configure?.({ topic, side: 'value', reads: true, writes: false });
    expect(rereader.deserialize(bytes, 0, bytes.length, topic).id).toBe('b1');
  });

  it('keeps an id after registering the same schema again', async () => {
    const subject = `${stack.uniqueName('same')}-value`;
    const first = await new SchemaRegistryClient({ url: stack.registryUrl }).register(subject, JSON.stringify(boardV1));
    const second = await new SchemaRegistryClient({ url: stack.registryUrl }).register(
      subject,
      JSON.stringify(boardV1),
    );
    expect(second).toBe(first);
  });

  it('fails only the record whose schema id nobody knows', async () => {
    const topic = stack.uniqueName('boards');
    const reader = avro<{ id: string }>(boardV1, { registry: new SchemaRegistryClient({ url: stack.registryUrl }) });
    await reader.configure?.({ topic, side: 'value', reads: true, writes: true });
    const good = reader.serialize({ id: 'b1' }, topic);
    const bad = Buffer.concat([Buffer.from('007ffffff0', 'hex'), good.subarray(5)]);
    const batch = changelogBatch([
      { key: 'k', value: bad.latin1Slice() },
      { key: 'k', value: good.latin1Slice() },
    ]);
    await reader.prepare?.(batch, 'value');
    expect(() => reader.deserialize(bad, 0, bad.length, topic)).toThrow(/unknown schema id 2147483632/);
    expect(reader.deserialize(good, 0, good.length, topic)).toEqual({ id: 'b1' });
  });

  it('refuses to register what is no schema', async () => {
    const registry = new SchemaRegistryClient({ url: stack.registryUrl });
    await expect(registry.register(`${stack.uniqueName('bad')}-value`, '{"type":"nonsense"}')).rejects.toMatchObject({
      recovery: 'fail',
    });
  });
});
