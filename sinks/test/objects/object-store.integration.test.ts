import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { useTestStack } from '@chip-quality/dev/testing';
import { goldenImagePath, IMAGE_BYTES_MAX, inspectionImagePath } from '@chip-quality/schemas';
import { expect, test } from 'vitest';
import { createObjectStore, type ObjectStore } from '../../src/index.ts';

const stack = useTestStack(['objects']);
const noAbort = new AbortController().signal;
const id = () => crypto.randomUUID();

function store(overrides: Partial<Parameters<typeof createObjectStore>[0]> = {}): ObjectStore {
  const { endpoint, accessKey, secretKey, region, bucket } = stack.s3;
  return createObjectStore({ endpoint, accessKey, secretKey, region, bucket, ...overrides });
}

async function upload(objects: ObjectStore, key: string, body: Buffer): Promise<void> {
  const url = await objects.presignPut(key, { contentType: 'image/jpeg', expiresInSeconds: 60 });
  const answer = await fetch(url, {
    method: 'PUT',
    body: new Uint8Array(body),
    headers: { 'content-type': 'image/jpeg' },
  });
  expect(answer.status).toBe(200);
}

test('what is put through a presigned URL can be examined and loaded', async () => {
  const objects = store();
  await objects.ensureBucket();
  await objects.ensureBucket();
  const key = inspectionImagePath(id(), id());
  expect(await objects.head(key)).toBeUndefined();
  await upload(objects, key, Buffer.from('a board'));
  expect(await objects.head(key)).toMatchObject({
    sizeBytes: 7,
    contentType: 'image/jpeg',
    etag: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(Buffer.from(await objects.load(key, noAbort)).toString()).toBe('a board');
  const answer = await fetch(await objects.presignGet(key, 60));
  expect(await answer.text()).toBe('a board');
});

test('an empty object is loaded as no bytes', async () => {
  const objects = store();
  const key = goldenImagePath(id(), id());
  await upload(objects, key, Buffer.alloc(0));
  expect(await objects.load(key, noAbort)).toHaveLength(0);
});

test('a missing object is told from a store that is away', async () => {
  await expect(store().load(inspectionImagePath(id(), id()), noAbort)).rejects.toMatchObject({
    code: 'OBJECT_NOT_FOUND',
  });
  const away = store({ endpoint: 'http://127.0.0.1:9' });
  await expect(away.load('inspections/x/raw/y.jpg', noAbort)).rejects.toMatchObject({
    code: 'OBJECT_STORE_UNAVAILABLE',
  });
  await expect(away.head('inspections/x/raw/y.jpg')).rejects.toMatchObject({ code: 'OBJECT_STORE_UNAVAILABLE' });
});

test('wrong credentials are an unavailable store, not a missing object', async () => {
  const objects = store({ secretKey: 'wrong' });
  await expect(objects.head(inspectionImagePath(id(), id()))).rejects.toMatchObject({
    code: 'OBJECT_STORE_UNAVAILABLE',
  });
});

test('an object above the limit is refused without holding it in memory', async () => {
  const objects = store();
  const key = inspectionImagePath(id(), id());
  await upload(objects, key, Buffer.alloc(IMAGE_BYTES_MAX + 1));
  await expect(objects.load(key, noAbort)).rejects.toMatchObject({ code: 'OBJECT_TOO_LARGE' });
});

test('a store that never answers is given up after the timeout, and at once when the caller aborts', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const objects = store({
    endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    requestTimeoutMs: 200,
  });
  await expect(objects.load('a/b.jpg', noAbort)).rejects.toMatchObject({ code: 'OBJECT_STORE_UNAVAILABLE' });
  const abort = new AbortController();
  const loading = objects.load('a/b.jpg', abort.signal);
  abort.abort(new Error('revoked'));
  await expect(loading).rejects.toThrow('revoked');
  silent.closeAllConnections();
  silent.close();
});

test('a presigned URL expires', async () => {
  const objects = store();
  const key = inspectionImagePath(id(), id());
  await upload(objects, key, Buffer.from('x'));
  const url = await objects.presignGet(key, 1);
  await new Promise((done) => setTimeout(done, 2_100));
  expect((await fetch(url)).status).toBe(403);
});
