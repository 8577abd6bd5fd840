import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOCAL_FOLDER } from '../src/base/paths.ts';
import { endProcess, isRunning, type ProcessIdentity, startedWith } from '../src/base/process-identity.ts';
import { waitUntil } from '../src/base/wait.ts';
import type { TritonEndpoint } from '../src/services/service.ts';
import { type Stack, startStack } from '../src/start-stack.ts';

/** The first start downloads half a gigabyte. */
const START_TIMEOUT_MS = 600_000;
const RESTART_TIMEOUT_MS = 120_000;

const root = join(LOCAL_FOLDER, 'test', `triton-${randomBytes(4).toString('hex')}`);
let stack: Stack;
let triton: TritonEndpoint;

beforeAll(async () => {
  stack = await startStack({ root, services: ['triton'], log: (line) => console.log(line) });
  if (stack.triton === undefined) throw new Error('no Triton');
  triton = stack.triton;
}, START_TIMEOUT_MS);

afterAll(() => rmSync(root, { recursive: true, force: true }));

async function getJson(path: string): Promise<Record<string, unknown>> {
  const answer = await fetch(`${triton.http}${path}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
}

function sharedMemory(): string[] {
  const port = new URL(triton.http).port;
  return readdirSync('/dev/shm').filter((name) => name.startsWith(`chip_quality_triton_${port}_`));
}

async function loadedModels(): Promise<string[]> {
  const answer = await fetch(`${triton.http}/v2/repository/index`, { method: 'POST', body: '{}' });
  const models = (await answer.json()) as { name: string; state?: string }[];
  return models.filter((model) => model.state === 'READY').map((model) => model.name);
}

test('the server speaks the inference protocol and tells its metrics', async () => {
  expect(await getJson('/v2')).toMatchObject({ name: 'triton', version: '2.51.0' });
  expect(await (await fetch(triton.metricsUrl)).text()).toContain('nv_inference_request_success');
});

test('the self-test leaves no model behind', async () => {
  await waitUntil('the unloading', 20_000, async () => !(await loadedModels()).includes('stack_self_test'));
});

test(
  'after a crash the server comes back on the same address, without what the crashed one left: no process, no shared memory',
  async () => {
    const { running } = JSON.parse(readFileSync(join(root, 'stack.json'), 'utf8')) as {
      running: { triton: ProcessIdentity };
    };
    const crashed = startedWith('CHIP_QUALITY_TRITON_OF', root);
    // The server itself, and the processes of its Python models.
    expect(crashed.length).toBeGreaterThan(1);
    await endProcess(running.triton, 'SIGKILL', 0);
    await waitUntil('the restart', RESTART_TIMEOUT_MS, async () => (await fetch(`${triton.http}/v2/health/ready`)).ok);
    expect(crashed.filter(isRunning)).toEqual([]);
    await stack.stop();
    await waitUntil('the end of all', 10_000, () => startedWith('CHIP_QUALITY_TRITON_OF', root).length === 0);
    await waitUntil('the removal of shared memory', 10_000, () => sharedMemory().length === 0);
  },
  RESTART_TIMEOUT_MS + 60_000,
);
