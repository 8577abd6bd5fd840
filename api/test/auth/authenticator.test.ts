import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthenticator } from '../../src/auth/authenticator.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let api: TestServer;
beforeAll(async () => {
  api = await startTestServer();
});
afterAll(() => api.close());

const PATH = '/v1/inspections';

async function tryToken(token: string | undefined) {
  return api.call('GET', PATH, { headers: { authorization: token } });
}

function unsigned(claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.`;
}

/** Signs whatever claims with the test secret. */
async function signed(claims: Record<string, unknown>): Promise<string> {
  const all: Record<string, unknown> = {
    iss: 'https://issuer.test',
    aud: 'chip-quality',
    sub: 's',
    tenant_id: 'acme',
    scope: 'inspections:read',
    exp: Math.floor(Date.now() / 1000) + 60,
    ...claims,
  };
  const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(present)
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode('a-secret-for-tests-that-is-long-enough'));
}

describe('a request', () => {
  it('without a token is refused and told which kind is wanted', async () => {
    const answer = await tryToken(undefined);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="chip-quality"']);
  });

  it('with a token that holds is served', async () => {
    expect((await tryToken(`Bearer ${await signed({})}`)).status).toBe(200);
    expect((await tryToken(`bearer ${await signed({})}`)).status).toBe(200);
  });

  it.each<[string, () => Promise<string>]>([
    ['of another scheme', async () => 'Basic YTpi'],
    ['that is no JWT', async () => 'Bearer abc'],
    ['without a signature', async () => `Bearer ${unsigned({ sub: 's' })}`],
    ['of another secret', async () => `Bearer ${await api.token({ secret: 'x'.repeat(40) })}`],
    ['of another issuer', async () => `Bearer ${await api.token({ issuer: 'https://evil.test' })}`],
    ['for another audience', async () => `Bearer ${await api.token({ audience: 'other' })}`],
    ['that has expired', async () => `Bearer ${await api.token({ lifetimeSeconds: -60 })}`],
    ['that never expires', async () => `Bearer ${await signed({ exp: undefined })}`],
    ['without a subject', async () => `Bearer ${await signed({ sub: undefined })}`],
    ['without a tenant', async () => `Bearer ${await signed({ tenant_id: undefined })}`],
    ['whose tenant would break keys', async () => `Bearer ${await signed({ tenant_id: 'a|b' })}`],
    ['without scopes', async () => `Bearer ${await signed({ scope: undefined })}`],
    ['whose scope is a list', async () => `Bearer ${await signed({ scope: ['inspections:read'] })}`],
    [
      'that was tampered with',
      async () => `Bearer ${(await signed({})).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))}x`,
    ],
  ])('with a token %s is refused with 401', async (_, make) => {
    const answer = await tryToken(await make());
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="chip-quality", error="invalid_(token|request)"$/,
    );
    expect(answer.body.type).toBe('urn:chip-quality:problem:unauthenticated');
  });

  it('with a token expired within the clock tolerance is served', async () => {
    expect((await tryToken(`Bearer ${await api.token({ lifetimeSeconds: -2 })}`)).status).toBe(200);
  });

  it('without the scope is refused with 403 naming it', async () => {
    const answer = await tryToken(`Bearer ${await api.token({ scopes: ['parts:write'] })}`);
    expect(answer.status).toBe(403);
    expect(answer.body.detail).toContain('inspections:read');
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="inspections:read"');
  });

  it('hears nothing about the rest of it before the token was checked', async () => {
    const answer = await api.call('POST', PATH, { rawBody: '{', headers: { authorization: undefined }, key: null });
    expect(answer.status).toBe(401);
  });
});

describe('keys', () => {
  const clock = { nowMs: () => Date.now() };
  it('that are public verify tokens of an identity provider, and never shared-secret tokens', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' };
    const auth = createAuthenticator(
      { issuer: 'i', audience: 'a', keys: { kind: 'jwks', jwks: { keys: [jwk] } } },
      clock,
    );
    const token = await new SignJWT({ tenant_id: 't', scope: 'live:read' })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .setIssuer('i')
      .setAudience('a')
      .setSubject('s')
      .setExpirationTime('1m')
      .sign(privateKey);
    expect((await auth.fromToken(token)).tenantId).toBe('t');
    await expect(auth.fromToken(await signed({ iss: 'i', aud: 'a' }))).rejects.toMatchObject({ name: 'ProblemError' });
  });

  it('that cannot be fetched are an outage, not a wrong token', async () => {
    const auth = createAuthenticator(
      { issuer: 'i', audience: 'a', keys: { kind: 'jwks-url', url: 'http://127.0.0.1:9/jwks' } },
      clock,
    );
    const { privateKey } = await generateKeyPair('RS256');
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid: 'k' }).sign(privateKey);
    await expect(auth.fromToken(token)).rejects.toMatchObject({ name: 'UnavailableError' });
  });

  it('that are short secrets are refused at start', () => {
    const options = { issuer: 'i', audience: 'a', keys: { kind: 'secret', secret: 'short' } } as const;
    expect(() => createAuthenticator(options, clock)).toThrow(RangeError);
  });
});

describe('a token that was verified', () => {
  it('is refused once it has expired', async () => {
    const secret = 'a-secret-for-tests-that-is-long-enough';
    let nowMs = Date.now();
    const clock = { nowMs: () => nowMs };
    const options = { issuer: 'https://issuer.test', audience: 'chip-quality' };
    const authenticator = createAuthenticator({ ...options, keys: { kind: 'secret', secret } }, clock);
    const token = await signed({ exp: Math.floor(nowMs / 1000) + 30 });
    expect((await authenticator.fromToken(token)).subject).toBe('s');
    nowMs += 20_000;
    expect((await authenticator.fromToken(token)).subject).toBe('s');
    nowMs += 20_000;
    await expect(authenticator.fromToken(token)).rejects.toThrow('The token has expired.');
  });
});
