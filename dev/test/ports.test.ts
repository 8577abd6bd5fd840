import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFreePort, isPortFree, LOOPBACK } from '../src/base/ports.ts';
import { StackMemory } from '../src/base/stack-memory.ts';

let root: string;
const servers: Server[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stack-memory-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
  for (const server of servers.splice(0)) server.close();
});

async function occupy(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((done) => server.listen(port, LOOPBACK, done));
}

test('a port is below the range of outgoing connections and free', async () => {
  const port = await findFreePort();
  expect(port).toBeLessThan(32_768);
  expect(await isPortFree(port)).toBe(true);
  await occupy(port);
  expect(await isPortFree(port)).toBe(false);
});

test('a port is remembered with the data', async () => {
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const port = await new StackMemory(root).port('kafka', log);
  expect(await new StackMemory(root).port('kafka', log)).toBe(port);
  expect(lines).toEqual([]);
});

test('a remembered port that a stranger has taken is replaced, and that is told', async () => {
  const lines: string[] = [];
  const memory = new StackMemory(root);
  const port = await memory.port('kafka', () => {});
  await occupy(port);
  const other = await memory.port('kafka', (line) => lines.push(line));
  expect(other).not.toBe(port);
  expect(lines).toEqual([`port ${port} of kafka is taken by another program; kafka moves to ${other}`]);
  expect(await new StackMemory(root).port('kafka', () => {})).toBe(other);
});

test('services that start together get different ports', async () => {
  const memory = new StackMemory(root);
  const names = Array.from({ length: 20 }, (_, i) => `service-${i}`);
  const ports = await Promise.all(names.map((name) => memory.port(name, () => {})));
  expect(new Set(ports).size).toBe(names.length);
});

test('a secret is made once, fits into a URL, and only its owner can read the file', () => {
  const secret = new StackMemory(root).secret('postgres');
  expect(secret).toMatch(/^[A-Za-z0-9]{24}$/);
  expect(new StackMemory(root).secret('postgres')).toBe(secret);
  expect(readFileSync(join(root, 'stack.json'), 'utf8')).toContain(secret);
});

test('processes are noted over a restart of the supervisor until they are forgotten', () => {
  const identity = { pid: 4711, startedAt: '1' };
  new StackMemory(root).note('kafka', identity);
  const next = new StackMemory(root);
  expect(next.noted).toEqual({ kafka: identity });
  next.forget('kafka');
  expect(new StackMemory(root).noted).toEqual({});
});
