import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEV_FOLDER, LOCAL_FOLDER } from '../src/base/paths.ts';
import { endProcess, identify, isRunning, type ProcessIdentity } from '../src/base/process-identity.ts';
import { sleep, waitUntil } from '../src/base/wait.ts';
import type { ServiceName } from '../src/services/service.ts';
import { type Stack, startStack } from '../src/start-stack.ts';

/** PostgreSQL is the service that starts fastest and minds a crash most. */
const SERVICES: readonly ServiceName[] = ['postgres'];
/** More than the supervisor's patience after a crash of its last user. */
const DOWN_TIMEOUT_MS = 30_000;

let root: string;
const stacks: Stack[] = [];

beforeEach(() => {
  root = join(LOCAL_FOLDER, 'test', `supervisor-${randomBytes(4).toString('hex')}`);
});

afterEach(async () => {
  await Promise.all(stacks.splice(0).map((stack) => stack.stop()));
  rmSync(root, { recursive: true, force: true });
});

async function start(onServiceEnded?: (service: ServiceName) => void): Promise<Stack> {
  const stack = await startStack({
    root,
    services: SERVICES,
    durable: false,
    ...(onServiceEnded ? { onServiceEnded } : {}),
  });
  stacks.push(stack);
  return stack;
}

/** Another process that holds the stack, as `npm start` does. */
async function startUser(): Promise<ChildProcess> {
  const script = join(DEV_FOLDER, 'src', 'stack.ts');
  const user = spawn(process.execPath, [script, '--root', root, '--services', SERVICES.join()], { stdio: 'pipe' });
  let output = '';
  user.stdout?.on('data', (chunk) => {
    output += String(chunk);
  });
  await waitUntil('the other user', 60_000, () => output.includes('is up after'));
  return user;
}

function running(): ProcessIdentity | undefined {
  const path = join(root, 'stack.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).running.postgres : undefined;
}

/** The process that runs the services: the parent of each of them. */
function supervisor(): ProcessIdentity {
  const stat = readFileSync(`/proc/${running()?.pid}/stat`, 'latin1');
  const parent = identify(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  if (parent === undefined) throw new Error('no supervisor');
  return parent;
}

async function query(stack: Stack, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: stack.postgresUrl });
  client.on('error', () => {}); // the server may die under it; the query tells
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('users share one stack, and the last one to leave stops it', async () => {
  const [first, second] = await Promise.all([start(), start()]);
  expect(second.postgresUrl).toBe(first.postgresUrl);
  const process = running();
  await first.stop();
  expect(await query(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await second.stop();
  expect(process && isRunning(process)).toBe(false);
  expect(running()).toBeUndefined();
});

test('whoever comes while the stack is stopping gets a running one all the same', async () => {
  for (const delayMs of [0, 5, 50, 200]) {
    const stopping = (await start()).stop();
    await sleep(delayMs);
    const next = await start();
    await stopping;
    expect(await query(next, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await next.stop();
  }
});

test('the services stop when the only user is killed outright', async () => {
  const user = await startUser();
  const process = running();
  user.kill('SIGKILL');
  await waitUntil('the end of the services', DOWN_TIMEOUT_MS, () => process !== undefined && !isRunning(process));
});

test('a quick restart after a crash finds the services still running', async () => {
  const user = await startUser();
  const before = running();
  user.kill('SIGKILL');
  await start();
  expect(running()).toEqual(before);
});

test('data and ports survive the death of user, supervisor and server at once', async () => {
  const user = await startUser();
  const stack = await start();
  await query(stack, 'CREATE TABLE chips AS SELECT 42 AS answer');
  const victims = [supervisor(), running()].filter((one) => one !== undefined);
  user.kill('SIGKILL');
  await Promise.all(victims.map((victim) => endProcess(victim, 'SIGKILL', 0)));
  stacks.length = 0; // it died with its supervisor
  const next = await start();
  expect(next.postgresUrl).toBe(stack.postgresUrl);
  expect(await query(next, 'SELECT * FROM chips')).toEqual([{ answer: 42 }]);
});

test.runIf(process.platform === 'linux')('no service outlives a supervisor that is killed outright', async () => {
  await start();
  const process = running();
  await endProcess(supervisor(), 'SIGKILL', 0);
  stacks.length = 0;
  await waitUntil('the end of the services', DOWN_TIMEOUT_MS, () => process !== undefined && !isRunning(process));
});

test('a service that ends by itself is told and started again on the same address', async () => {
  const ended: ServiceName[] = [];
  const stack = await start((service) => ended.push(service));
  const before = running();
  if (before) await endProcess(before, 'SIGKILL', 0);
  await waitUntil('the restart', 30_000, async () => (await query(stack, 'SELECT 1')).length === 1);
  expect(ended).toEqual(['postgres']);
  expect(running()).not.toEqual(before);
});
