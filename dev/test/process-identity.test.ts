import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { LOOPBACK } from '../src/base/ports.ts';
import { endProcess, identify, isRunning, listensOn, startedWith } from '../src/base/process-identity.ts';

test('a process is recognised by its pid and start time together', () => {
  const self = identify(process.pid);
  expect(self?.pid).toBe(process.pid);
  expect(self && isRunning(self)).toBe(true);
  expect(isRunning({ pid: process.pid, startedAt: 'another time' })).toBe(false);
});

test('a process that ignores the polite signal is killed after the patience is over', async () => {
  const script = "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)";
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const identity = identify(child.pid ?? 0);
  expect(identity).toBeDefined();
  if (identity === undefined) return;
  const ended = once(child, 'exit');
  await endProcess(identity, 'SIGTERM', 300);
  expect(isRunning(identity)).toBe(false);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

test('a foreign process with a reused pid is left alone', async () => {
  await endProcess({ pid: process.pid, startedAt: 'long ago' }, 'SIGKILL', 0);
});

test.runIf(process.platform === 'linux')('who listens on a port is known, not only that somebody does', async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, LOOPBACK, done));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(listensOn(process.pid, port)).toBe(true);
  expect(listensOn(process.ppid, port)).not.toBe(true);
  await new Promise((done) => server.close(done));
  expect(listensOn(process.pid, port)).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'processes are found by the environment they were started with, and only those',
  async () => {
    const [name, value] = ['CHIP_QUALITY_TEST_OF', `folder ${process.pid}`];
    const script = "console.log('up'); setInterval(() => {}, 1000)";
    const child = spawn(process.execPath, ['-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, [name]: value },
    });
    await once(child.stdout, 'data');
    expect(startedWith(name, value)).toEqual([identify(child.pid ?? 0)]);
    expect(startedWith(name, value.slice(0, -1))).toEqual([]);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    expect(startedWith(name, value)).toEqual([]);
  },
);
