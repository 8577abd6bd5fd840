import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { TEST_ROOT } from './base/paths.ts';
import type { S3Endpoint, ServiceName, TritonEndpoint } from './services/service.ts';
import { DEFAULT_SERVICES, type Stack, startStack } from './start-stack.ts';

/** The first start on a machine downloads everything. */
const START_TIMEOUT_MS = 300_000;
/** The services outlive a test file by this much: the next file, or the next run, finds them warm. */
const LINGER_MS = 20_000;
const NAME_BYTES = 4;

/** The addresses of the test stack. They can be read inside tests and hooks, not while tests are collected. */
export interface TestStack {
  readonly bootstrapServers: string;
  readonly registryUrl: string;
  /** A database shared by all tests; for tables of your own use {@link TestStack.createDatabase}. */
  readonly postgresUrl: string;
  readonly s3: S3Endpoint;
  readonly triton: TritonEndpoint;
  /** A name that no other test or run has: topics, groups, subjects, and key prefixes are shared by everybody. */
  uniqueName(prefix: string): string;
  /** Makes an empty database and returns its URL. It is dropped after the file. */
  createDatabase(): Promise<string>;
}

/**
 * Gives a test file the real local stack, under `.local/test`. All test files, workers and runs of a checkout
 * share it; it starts when first needed and stops by itself soon after the last user.
 * Call it at the top of the file, outside of tests.
 */
export function useTestStack(services: readonly ServiceName[] = DEFAULT_SERVICES): TestStack {
  let stack: Stack | undefined;
  const databases: string[] = [];

  beforeAll(async () => {
    const progress: string[] = [];
    try {
      stack = await startStack({
        root: TEST_ROOT,
        services,
        durable: false,
        lingerMs: LINGER_MS,
        log: (l) => progress.push(l),
      });
    } catch (error) {
      throw new Error(`the test stack did not start: ${(error as Error).message}\n${progress.join('\n')}`, {
        cause: error,
      });
    }
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    const held = stack;
    stack = undefined;
    if (held === undefined) return;
    for (const name of databases) {
      await onDatabase(held.postgresUrl ?? '', (client) =>
        client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
      );
    }
    await held.stop();
  });

  const get = <K extends Exclude<keyof Stack, 'stop'>>(name: K): NonNullable<Stack[K]> => {
    if (stack === undefined) throw new Error(`the test stack's ${name} can only be read inside tests and hooks`);
    const value = stack[name];
    if (value === undefined) throw new Error(`${name} is not among the services asked for (${services.join(', ')})`);
    return value;
  };

  return {
    get bootstrapServers() {
      return get('bootstrapServers');
    },
    get registryUrl() {
      return get('registryUrl');
    },
    get postgresUrl() {
      return get('postgresUrl');
    },
    get s3() {
      return get('s3');
    },
    get triton() {
      return get('triton');
    },
    uniqueName: (prefix) => `${prefix}-${randomBytes(NAME_BYTES).toString('hex')}`,
    async createDatabase() {
      const name = `test_${randomBytes(NAME_BYTES).toString('hex')}`;
      const url = get('postgresUrl');
      await onDatabase(url, (client) => client.query(`CREATE DATABASE ${name}`));
      databases.push(name);
      return url.replace(/[^/]+$/, name);
    },
  };
}

async function onDatabase(url: string, body: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await body(client);
  } finally {
    await client.end();
  }
}
