import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const UNKNOWN = '6f1d3c52-8a47-5b0e-9d3e-2c7a51f0b864';
const MD5 = '0123456789abcdef0123456789abcdef';
let api: TestServer;

beforeEach(async () => {
  api = await startTestServer();
});
afterEach(() => api.close());

async function createPart(): Promise<string> {
  return (await api.call('POST', '/v1/parts', { body: { part_number: 'P-1', part_type: 'pcb' } })).body.id;
}

async function createLot(): Promise<string> {
  const body = { lot_number: 'L-1', part_id: await createPart(), quantity: 10 };
  return (await api.call('POST', '/v1/lots', { body })).body.id;
}

async function createInspection(chip = 'c-1', lot?: string): Promise<string> {
  const body = { lot_id: lot ?? (await createLot()), chip_id: chip, inspection_type: 'visual', line_id: 'A' };
  return (await api.call('POST', '/v1/inspections', { body })).body.id;
}

describe('creating', () => {
  it('answers 201 with the resource, its address, and the defaults filled in', async () => {
    const lot = await createLot();
    const answer = await api.call('POST', '/v1/inspections', {
      body: { lot_id: lot, chip_id: 'c-1', inspection_type: 'thermal' },
      key: 'k-1',
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ chip_id: 'c-1', priority: 5, status: 'pending', lot_id: lot });
    expect(answer.headers.get('location')).toBe(`/v1/inspections/${answer.body.id}`);
    expect(answer.headers.get('idempotent-replayed')).toBeNull();
    const request = api.platform.requests.at(-1);
    expect(request).toMatchObject({
      operation: 'inspection.create',
      resourceId: answer.body.id,
      tenantId: 'acme',
      subject: 'station-1',
      idempotencyKey: 'k-1',
      payload: { station_id: null, line_id: null, metadata: {}, part_id: api.platform.lots.get(lot)?.part_id },
    });
    expect(request?.payloadHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('answers a repetition with the first answer and says so, whatever the order of members', async () => {
    const first = await api.call('POST', '/v1/parts', { body: { part_number: 'P', part_type: 'pcb' }, key: 'k' });
    const second = await api.call('POST', '/v1/parts', { body: { part_type: 'pcb', part_number: 'P' }, key: 'k' });
    expect([second.status, second.body]).toEqual([201, first.body]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    const other = await api.call('POST', '/v1/parts', { body: { part_number: 'Q', part_type: 'pcb' }, key: 'k' });
    expect(other.status).toBe(422);
    expect(other.body).toMatchObject({ type: 'urn:x:key-reused', title: 'Key reused', status: 422 });
    expect(other.body.instance).toMatch(/^urn:uuid:/);
  });

  it('passes on a duplicate under another key as 409', async () => {
    const lot = await createLot();
    await createInspection('c', lot);
    const body = { lot_id: lot, chip_id: 'c', inspection_type: 'visual' };
    const answer = await api.call('POST', '/v1/inspections', { body });
    expect([answer.status, answer.body.detail]).toEqual([409, 'exists']);
  });

  it('names the field that refers to something unknown', async () => {
    const body = { lot_id: UNKNOWN, chip_id: 'c', inspection_type: 'visual' };
    const inspection = await api.call('POST', '/v1/inspections', { body });
    expect([inspection.status, inspection.body.errors[0].field]).toEqual([422, 'lot_id']);
    const lot = await api.call('POST', '/v1/lots', { body: { lot_number: 'L', part_id: UNKNOWN, quantity: 1 } });
    expect([lot.status, lot.body.errors[0].field]).toEqual([422, 'part_id']);
  });

  it('keeps tenants apart', async () => {
    const id = await createInspection();
    const authorization = `Bearer ${await api.token({ tenantId: 'other' })}`;
    expect((await api.call('GET', `/v1/inspections/${id}`, { headers: { authorization } })).status).toBe(404);
    const list = await api.call('GET', '/v1/inspections', { headers: { authorization } });
    expect(list.body.data).toEqual([]);
  });
});

describe('artifacts', () => {
  it('go the whole way: presign, confirm, download', async () => {
    const id = await createInspection();
    const body = { filename: 'a.jpg', content_type: 'image/jpeg' };
    const ticket = await api.call('POST', `/v1/inspections/${id}/artifacts`, { body, key: null });
    expect(ticket.status).toBe(200);
    const again = await api.call('POST', `/v1/inspections/${id}/artifacts`, { body, key: null });
    expect(again.body.artifact_id).toBe(ticket.body.artifact_id);
    const artifact = ticket.body.artifact_id;
    const path = `inspections/${id}/raw/${artifact}.jpg`;
    expect(ticket.body.upload_url).toBe(`http://objects.test/${path}?put`);

    api.platform.stored.set(path, { sizeBytes: 17, contentType: 'image/jpeg', etag: MD5 });
    const confirmed = await api.call('POST', `/v1/inspections/${id}/artifacts/confirm`, {
      body: { artifact_id: artifact, filename: 'a.jpg', size_bytes: 17, checksum: `md5:${MD5.toUpperCase()}` },
    });
    expect(confirmed.status).toBe(200);
    expect(confirmed.body).toEqual({
      artifact_id: artifact,
      filename: 'a.jpg',
      storage_path: path,
      content_type: 'image/jpeg',
      size_bytes: 17,
      checksum: MD5,
      artifact_type: 'image',
      metadata: {},
    });

    const address = `/v1/inspections/${id}/artifacts/${artifact}`;
    const redirect = await api.call('GET', address);
    expect([redirect.status, redirect.headers.get('location')]).toEqual([302, `http://objects.test/${path}?get`]);
    const json = await api.call('GET', address, { headers: { accept: 'application/json' } });
    expect([json.status, json.body.download_url]).toEqual([200, `http://objects.test/${path}?get`]);
    expect((await api.call('GET', `/v1/inspections/${id}/artifacts/${UNKNOWN}`)).status).toBe(404);

    // The upload address still works: what was put there since is not what was judged.
    api.platform.stored.set(path, { sizeBytes: 17, contentType: 'text/html', etag: 'f'.repeat(32) });
    const replaced = await api.call('GET', address);
    expect([replaced.status, replaced.body.type]).toEqual([409, 'urn:chip-quality:problem:artifact-changed']);
    api.platform.stored.delete(path);
    expect((await api.call('GET', address)).body.detail).toContain('is gone');
  });

  it('are not confirmed before they are uploaded', async () => {
    const id = await createInspection();
    const answer = await api.call('POST', `/v1/inspections/${id}/artifacts/confirm`, {
      body: { artifact_id: UNKNOWN },
    });
    expect([answer.status, answer.body.type]).toEqual([409, 'urn:chip-quality:problem:not-uploaded']);
  });

  it('cannot be confirmed while the object store is away, and nothing of its address leaks', async () => {
    const id = await createInspection();
    const error = new Error('object store: HEAD http://10.0.0.7/secret failed');
    api.platform.objectOutage = Object.assign(error, { code: 'OBJECT_STORE_UNAVAILABLE' });
    const answer = await api.call('POST', `/v1/inspections/${id}/artifacts/confirm`, {
      body: { artifact_id: UNKNOWN },
    });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    expect(JSON.stringify(answer.body)).not.toContain('10.0.0.7');
  });

  it.each([
    ['too large', { sizeBytes: 16 * 1024 * 1024 + 1 }, {}, 413, undefined],
    ['empty', { sizeBytes: 0 }, {}, 422, 'size_bytes'],
    ['of another size than announced', {}, { size_bytes: 18 }, 422, 'size_bytes'],
    ['of another checksum than announced', {}, { checksum: 'f'.repeat(32) }, 422, 'checksum'],
    ['of another type than announced', {}, { content_type: 'image/png' }, 422, 'content_type'],
    ['of a type that is not allowed', { contentType: 'text/html' }, {}, 422, 'content_type'],
    ['of no type', { contentType: 'application/octet-stream' }, {}, 422, 'content_type'],
  ])('are refused when the object is %s', async (_, head, claim, status, field) => {
    const id = await createInspection();
    const stored = { sizeBytes: 17, contentType: 'image/jpeg', etag: MD5, ...head };
    api.platform.stored.set(`inspections/${id}/raw/${UNKNOWN}.jpg`, stored);
    const body = { artifact_id: UNKNOWN, ...claim };
    const answer = await api.call('POST', `/v1/inspections/${id}/artifacts/confirm`, { body });
    expect([answer.status, answer.body.errors?.[0].field]).toEqual([status, field]);
  });

  it.each([
    ['a folder in the name', { filename: '../a.jpg', content_type: 'image/jpeg' }, 'filename'],
    ['a name that is too long', { filename: 'x'.repeat(256), content_type: 'image/jpeg' }, 'filename'],
    ['a type that is not allowed', { filename: 'a', content_type: 'text/html' }, 'content_type'],
  ])('are not presigned with %s', async (_, body, field) => {
    const answer = await api.call('POST', `/v1/inspections/${await createInspection()}/artifacts`, { body });
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, field]);
  });

  it('of a part become its golden image', async () => {
    const part = await createPart();
    const ticket = await api.call('POST', `/v1/parts/${part}/artifacts`, {
      body: { filename: 'golden.jpg', content_type: 'image/jpeg' },
    });
    const artifact = ticket.body.artifact_id;
    const path = `parts/${part}/golden/${artifact}.jpg`;
    api.platform.stored.set(path, { sizeBytes: 5, contentType: 'image/jpeg', etag: MD5 });
    const body = { artifact_id: artifact, filename: 'golden.jpg' };
    expect((await api.call('POST', `/v1/parts/${part}/artifacts/confirm`, { body })).status).toBe(200);
    expect(api.platform.requests.at(-1)).toMatchObject({ operation: 'part.confirm_golden', resourceId: part });
    expect((await api.call('GET', `/v1/parts/${part}`)).body.golden.artifact_id).toBe(artifact);
    expect((await api.call('GET', `/v1/parts/${part}/golden`)).headers.get('location')).toContain(path);
  });
});

describe('infer', () => {
  it('queues a job whose id follows from the key, with the golden image of the part', async () => {
    const id = await createInspection();
    const answer = await api.call('POST', `/v1/inspections/${id}/infer`, { key: 'job-1' });
    expect(answer.status).toBe(202);
    const request = api.platform.requests.at(-1);
    expect(request?.payload).toEqual({
      model_name: 'pcb_defect_detector',
      batch_size: 32,
      confidence_threshold: null,
      priority: 'normal',
      job_id: answer.body.request_id,
      golden: null,
    });
    const again = await api.call('POST', `/v1/inspections/${id}/infer`, { key: 'job-1' });
    expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([answer.body, 'true']);
  });

  it.each([
    [{ batch_size: 33 }, 'batch_size'],
    [{ batch_size: 0 }, 'batch_size'],
    [{ confidence_threshold: 1.1 }, 'confidence_threshold'],
    [{ priority: 'critical' }, 'priority'],
    [{ model_name: '../x' }, 'model_name'],
  ])('refuses %j', async (body, field) => {
    const answer = await api.call('POST', `/v1/inspections/${UNKNOWN}/infer`, { body });
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, field]);
  });

  it('of an unknown inspection is 404', async () => {
    expect((await api.call('POST', `/v1/inspections/${UNKNOWN}/infer`)).status).toBe(404);
  });
});

describe('the list', () => {
  it('goes through all inspections newest first, page by page', async () => {
    const lot = await createLot();
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      if (index % 2 === 0) api.clock.offsetMs += 1000; // some share their time
      ids.push(await createInspection(`c-${index}`, lot));
    }
    const seen: string[] = [];
    let path = '/v1/inspections?limit=3&status=pending';
    for (let pages = 0; pages < 5; pages += 1) {
      const answer = await api.call('GET', path);
      seen.push(...answer.body.data.map((view: { id: string }) => view.id));
      expect(answer.body.has_more).toBe(answer.body.next_cursor !== null);
      const link = answer.headers.get('link');
      if (link === null) break;
      path = /^<(.*)>; rel="next"$/.exec(link)?.[1] as string;
      expect(path).toContain('status=pending');
    }
    expect(seen).toHaveLength(7);
    expect(new Set(seen)).toEqual(new Set(ids));
  });

  it('goes on behind the place where a selective search stopped, also after an empty page', async () => {
    await createInspection();
    api.platform.searchedTo = { createdAtMs: 1_000, id: UNKNOWN };
    const page = await api.call('GET', '/v1/inspections?chip_id=rare');
    expect(page.body).toMatchObject({ data: [], has_more: true });
    api.platform.searchedTo = undefined;
    const next = await api.call('GET', `/v1/inspections?chip_id=rare&cursor=${page.body.next_cursor}`);
    expect(next.body).toEqual({ data: [], has_more: false, next_cursor: null });
  });

  it('filters by chip and lot', async () => {
    const lot = await createLot();
    await createInspection('a', lot);
    await createInspection('b', lot);
    expect((await api.call('GET', '/v1/inspections?chip_id=a')).body.data).toHaveLength(1);
    expect((await api.call('GET', `/v1/inspections?lot_id=${lot}`)).body.data).toHaveLength(2);
    expect((await api.call('GET', `/v1/inspections?lot_id=${UNKNOWN}`)).body.data).toHaveLength(0);
  });
});

describe('the OpenAPI document', () => {
  it('lists every operation, resolves every reference and names no field without a schema', async () => {
    const { body } = await api.call('GET', '/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    const operations = Object.values(body.paths).flatMap((path) => Object.values(path as object));
    expect(operations.map((operation) => operation.operationId).sort()).toEqual([
      'confirmArtifact',
      'confirmGolden',
      'createInspection',
      'createLot',
      'createPart',
      'deployModel',
      'getArtifact',
      'getGolden',
      'getInspection',
      'getLot',
      'getModel',
      'getPart',
      'inferInspection',
      'listInspections',
      'listModels',
      'presignArtifact',
      'presignGolden',
      'rollBackModel',
    ]);
    const references = [...JSON.stringify(body).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] as string);
    for (const reference of references) {
      const target = reference
        .slice(2)
        .split('/')
        .reduce((node, name) => node?.[name], body);
      expect(target, reference).toBeDefined();
    }
    const create = body.paths['/v1/inspections'].post;
    expect(create.parameters).toContainEqual(
      expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: true }),
    );
    expect(body.components.schemas.InspectionCreate.required).toEqual(['lot_id', 'chip_id', 'inspection_type']);
    expect(body.components.schemas.InspectionCreate.additionalProperties).toBe(false);
  });
});
