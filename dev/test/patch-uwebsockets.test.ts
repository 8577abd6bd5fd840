import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { glibcIsTooOld, patchUWebSockets } from '../patch-uwebsockets.mjs';
import { REPOSITORY } from '../src/base/paths.ts';

let root: string;
let binary: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'uwebsockets-'));
  mkdirSync(join(root, 'node_modules', 'uWebSockets.js'), { recursive: true });
  binary = join(root, 'node_modules', 'uWebSockets.js', 'uws_linux_x64_137.node');
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

test.each([
  ['2.36', true],
  ['2.9', true],
  ['2.38', false],
  ['2.41', false],
  ['3.0', false],
  [undefined, false],
])('glibc %s is too old: %s', (version, tooOld) => {
  expect(glibcIsTooOld(version)).toBe(tooOld);
});

test('a binary that nobody has examined is refused and left as it is', () => {
  writeFileSync(binary, 'some other build');
  expect(() => patchUWebSockets(root, { glibc: '2.36', arch: 'x64' })).toThrow(/is not a build .* knows/);
  expect(readFileSync(binary, 'utf8')).toBe('some other build');
});

test('where glibc is new enough nothing is touched', () => {
  writeFileSync(binary, 'some other build');
  expect(patchUWebSockets(root, { glibc: '2.38', arch: 'x64' })).toBe('not-needed');
});

test('the installed library answers HTTP on this system', () => {
  patchUWebSockets(REPOSITORY);
  const script = `
    const uws = require('uWebSockets.js');
    uws.App()
      .get('/n/:n', (res, req) => res.end(String(Number(req.getParameter(0)) + Number(req.getQuery('plus')))))
      .listen('127.0.0.1', 0, async (listening) => {
        const answer = await fetch('http://127.0.0.1:' + uws.us_socket_local_port(listening) + '/n/40?plus=2');
        console.log(answer.status, await answer.text());
        process.exit(0);
      });`;
  const output = execFileSync(process.execPath, ['-e', script], { cwd: join(REPOSITORY, 'api'), encoding: 'utf8' });
  expect(output.trim()).toBe('200 42');
});
