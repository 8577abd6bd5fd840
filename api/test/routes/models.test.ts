import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const NAME = 'pcb_defect_detector';
const deployment = {
  production: '1',
  candidate: null,
  previous: null,
  revision: 0,
  updated_at: null,
  updated_by: null,
};

describe('models', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    const versions = ['1', '2', '3'].map((version) => ({ version, verdict_threshold: 0.4 }));
    server.platform.models.set(NAME, { name: NAME, versions, deployment });
    server.platform.models.set('classification_model', { name: 'classification_model', versions, deployment: null });
  });
  afterAll(() => server.close());

  it('lists models and shows one with its deployment', async () => {
    const list = await server.call('GET', '/v1/models');
    expect(list.body.data.map(({ name }: { name: string }) => name)).toEqual([NAME, 'classification_model']);
    const one = await server.call('GET', `/v1/models/${NAME}`);
    expect(one.body).toMatchObject({ name: NAME, deployment: { production: '1', revision: 0 } });
    expect(await server.call('GET', '/v1/models/nobody')).toMatchObject({
      status: 404,
      body: { type: 'urn:chip-quality:problem:not-found' },
    });
  });

  it('sends a deployment as a command that names what judged until now', async () => {
    const body = { production: '2', candidate: { version: '3', mode: 'split', share: 0.25 } };
    const answer = await server.call('PUT', `/v1/models/${NAME}/deployment`, { body, key: 'deploy-1' });
    expect(answer).toMatchObject({ status: 200, body });
    expect(server.platform.requests.at(-1)).toMatchObject({
      operation: 'model.deploy',
      resourceId: NAME,
      payload: { ...body, initial: '1' },
    });
    const again = await server.call('PUT', `/v1/models/${NAME}/deployment`, { body, key: 'deploy-1' });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it('lets a candidate see every board where no share is given', async () => {
    const body = { production: '1', candidate: { version: '2', mode: 'shadow' } };
    const answer = await server.call('PUT', `/v1/models/${NAME}/deployment`, { body });
    expect(answer.body.candidate).toEqual({ version: '2', mode: 'shadow', share: 1 });
  });

  it.each([
    [{ production: '9' }, 422, 'production'],
    [{ production: '1', candidate: { version: '9', mode: 'shadow' } }, 422, 'candidate.version'],
    [{ production: '1', candidate: { version: '1', mode: 'shadow' } }, 400, 'candidate.version'],
    [{ production: '1', candidate: { version: '2', mode: 'canary' } }, 400, 'candidate.mode'],
    [{ production: '1', candidate: { version: '2', mode: 'split', share: 0 } }, 400, 'candidate.share'],
    [{ production: '../../etc' }, 400, 'production'],
    [{}, 400, 'production'],
  ])('refuses %j and names the field', async (body, status, field) => {
    const before = server.platform.requests.length;
    const answer = await server.call('PUT', `/v1/models/${NAME}/deployment`, { body });
    expect(answer.status).toBe(status);
    expect(answer.body.errors).toEqual([expect.objectContaining({ in: 'body', field })]);
    expect(server.platform.requests).toHaveLength(before);
  });

  it('knows which models are not deployed by themselves', async () => {
    for (const [method, path] of [
      ['PUT', 'deployment'],
      ['POST', 'rollback'],
    ] as const) {
      const body = method === 'PUT' ? { production: '1' } : {};
      expect(await server.call(method, `/v1/models/classification_model/${path}`, { body })).toMatchObject({
        status: 409,
        body: { type: 'urn:chip-quality:problem:not-deployable' },
      });
      expect((await server.call(method, `/v1/models/nobody/${path}`, { body })).status).toBe(404);
    }
  });

  it('rolls back without a body, and passes on that there is nothing to go back to', async () => {
    const answer = await server.call('POST', `/v1/models/${NAME}/rollback`);
    expect(answer).toMatchObject({ status: 409, body: { type: 'urn:x:nothing-to-roll-back' } });
    expect(server.platform.requests.at(-1)).toMatchObject({ operation: 'model.rollback', resourceId: NAME });
  });

  it('wants models:write for changes and models:read for looking', async () => {
    const authorization = `Bearer ${await server.token({ scopes: ['models:read', 'inspections:write'] })}`;
    const headers = { authorization };
    expect((await server.call('GET', '/v1/models', { headers })).status).toBe(200);
    const body = { production: '1' };
    expect((await server.call('PUT', `/v1/models/${NAME}/deployment`, { headers, body })).status).toBe(403);
    expect((await server.call('POST', `/v1/models/${NAME}/rollback`, { headers })).status).toBe(403);
    const none = { authorization: `Bearer ${await server.token({ scopes: ['models:write'] })}` };
    expect((await server.call('GET', '/v1/models', { headers: none })).status).toBe(403);
  });
});
