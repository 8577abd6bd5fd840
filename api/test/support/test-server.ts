import {
  type ApiClock,
  type ApiLimits,
  type ApiServer,
  type ApiServerOptions,
  createApiServer,
  createLiveFeed,
  mintToken,
  type PublishingLiveFeed,
  SCOPES,
  type Scope,
} from '../../src/index.ts';
import { PlatformDouble } from './platform-double.ts';

const SECRET = 'a-secret-for-tests-that-is-long-enough';
const ISSUER = 'https://issuer.test';
const AUDIENCE = 'chip-quality';

/** The real server on a free loopback port, its ports played by a {@link PlatformDouble}. */
export interface TestServer {
  readonly origin: string;
  readonly port: number;
  readonly platform: PlatformDouble;
  readonly feed: PublishingLiveFeed;
  readonly clock: { offsetMs: number } & ApiClock;
  readonly server: ApiServer;
  readonly finished: { route: string; method: string; status: number }[];
  readonly logged: { level: string; fields: Readonly<Record<string, unknown>>; message: string }[];
  token(options?: TokenOptions): Promise<string>;
  /** `fetch` with a token of all scopes, JSON body and, for POST and PUT, a fresh key, unless the options say otherwise. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface TokenOptions {
  readonly scopes?: readonly Scope[];
  readonly tenantId?: string;
  readonly lifetimeSeconds?: number;
  readonly secret?: string;
  readonly issuer?: string;
  readonly audience?: string;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly rawBody?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly key?: string | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any;
}

export async function startTestServer(
  limits: Partial<ApiLimits> = {},
  {
    port: wantedPort = 0,
    ...more
  }: Pick<ApiServerOptions, 'notReady' | 'imageOrigins' | 'limiter' | 'auditor'> & { readonly port?: number } = {},
): Promise<TestServer> {
  const clock = { offsetMs: 0, nowMs: () => Date.now() + clock.offsetMs };
  const platform = new PlatformDouble(clock);
  const feed = createLiveFeed();
  const finished: TestServer['finished'] = [];
  const logged: TestServer['logged'] = [];
  const logAt = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    logged.push({ level, fields, message });
  };
  const server = createApiServer({
    ports: { gateway: platform, queries: platform, objects: platform, models: platform, live: feed, clock },
    auth: { issuer: ISSUER, audience: AUDIENCE, keys: { kind: 'secret', secret: SECRET } },
    log: { info: logAt('info'), warn: logAt('warn'), error: logAt('error') },
    metrics: {
      requestFinished: (route, method, status) => finished.push({ route, method, status }),
      liveClients: () => {},
      render: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
    },
    limits: { drainTimeoutMs: 1000, ...limits },
    ...more,
  });
  const { port } = await server.listen(wantedPort, '127.0.0.1');
  const origin = `http://127.0.0.1:${port}`;
  const token = (options: TokenOptions = {}) =>
    mintToken(
      {
        secret: options.secret ?? SECRET,
        issuer: options.issuer ?? ISSUER,
        audience: options.audience ?? AUDIENCE,
        subject: 'station-1',
        tenantId: options.tenantId ?? 'acme',
        scopes: options.scopes ?? SCOPES,
        lifetimeSeconds: options.lifetimeSeconds ?? 600,
      },
      clock,
    );
  const fullToken = await token();
  let keys = 0;

  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const headers = new Headers({ authorization: `Bearer ${fullToken}` });
    if (options.body !== undefined || options.rawBody !== undefined) headers.set('content-type', 'application/json');
    if ((method === 'POST' || method === 'PUT') && options.key !== null)
      headers.set('idempotency-key', options.key ?? `key-${keys++}`);
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value === undefined) headers.delete(name);
      else headers.set(name, value);
    }
    const body: string | Uint8Array<ArrayBuffer> | null =
      options.rawBody ?? (options.body === undefined ? null : JSON.stringify(options.body));
    const response = await fetch(`${origin}${path}`, {
      method,
      headers,
      body,
      redirect: 'manual',
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  return { origin, port, platform, feed, clock, server, finished, logged, token, call, close: () => server.close() };
}
