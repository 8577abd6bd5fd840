import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchClusterMetadata } from '../src/services/kafka-metadata.ts';
import { type DefaultStack, startStack } from '../src/start-stack.ts';

/** What people name folders: umlauts, blanks, signs that Java, shells and URLs take for something else. */
const ODD_NAME = 'Prüfstand #1 (größe=10%) Ω 漢字';

let parent: string;
let root: string;
let stack: DefaultStack;

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'odd-'));
  // PostgreSQL's own user must get through.
  chmodSync(parent, 0o755);
  root = join(parent, ODD_NAME);
  mkdirSync(root);
  stack = await startStack({ root, durable: false });
});

afterAll(async () => {
  await stack?.stop();
  rmSync(parent, { recursive: true, force: true });
});

test('P8: every service keeps its data in a folder with an odd name, and nowhere else', async () => {
  const [host = '', port = ''] = stack.bootstrapServers.split(':');
  const { brokers } = await fetchClusterMetadata(host, Number(port));
  expect(brokers).toHaveLength(1);
  expect(readdirSync(parent)).toEqual([ODD_NAME]);
  expect(existsSync(join(root, 'kafka', 'data', 'meta.properties'))).toBe(true);
  expect(readdirSync(join(root, 'objects', 'buckets'))).toEqual([stack.s3.bucket]);
  expect(readdirSync(join(root, 'registry')).some((file) => file.startsWith('registry'))).toBe(true);
  // No folder beside the right ones, as a path read in another encoding would make.
  for (const service of ['kafka', 'objects', 'registry']) {
    expect(readdirSync(join(root, service)).every((name) => /^[\w.-]+$/.test(name))).toBe(true);
  }
});
