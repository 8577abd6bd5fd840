#!/usr/bin/env node
/**
 * The bootstrap behind every npm script: makes sure that dependencies and Node 24 are there, then runs the
 * target with Node 24, whatever Node the host has (>= 20).
 *
 *   node dev/run.mjs FILE.ts args…      runs a TypeScript file
 *   node dev/run.mjs --test args…       fast and integration tests (vitest), counts on the last line
 *   node dev/run.mjs --vitest P args…   one vitest project
 *   node dev/run.mjs --verify           types, lint and import walls, unused code, tests
 *
 * Plain JavaScript with Node's built-ins: nothing else is there in a fresh clone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from './install.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const NODE_MAJOR = 24;
/** How often to look whether npm is still there. */
const WATCH_MS = 1_000;
const log = (line) => console.error(`[setup] ${line}`);

function fail(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}

/** Path of a Node 24: the one from npm, or the host's when it is new enough. */
function findNode() {
  const { platform, arch } = process;
  const name = platform === 'win32' ? 'node.exe' : 'node';
  const candidates = [
    join(ROOT, 'node_modules', `node-${platform === 'win32' ? 'win' : platform}-${arch}`, 'bin', name),
    join(ROOT, 'node_modules', '.bin', name),
  ];
  for (const path of candidates) {
    if (!existsSync(path)) continue;
    const probe = spawnSync(path, ['--version'], { encoding: 'utf8' });
    if (probe.status === 0 && major(probe.stdout) >= NODE_MAJOR) return path;
  }
  if (major(process.version) >= NODE_MAJOR) return process.execPath;
  fail(
    `Node ${NODE_MAJOR} is needed and npm has none for ${platform}-${arch} (this is Node ${process.version}).\n` +
      `Install Node ${NODE_MAJOR} from your system's packages or a version manager, then run the same command again.`,
  );
}

/** @param {string} version such as "v24.1.0" */
function major(version) {
  return Number(/^v?(\d+)/.exec(version)?.[1] ?? 0);
}

/**
 * Runs a program to its end with our terminal, and returns its exit code (128 + n for a signal).
 * @param {string[]} command
 * @param {Record<string, string>} [extraEnv]
 * @returns {Promise<number>}
 */
function runToEnd(command, extraEnv = {}) {
  const env = { ...process.env, ...extraEnv };
  env.PATH = [join(ROOT, 'node_modules', '.bin'), env.PATH ?? ''].join(delimiter);
  const [file, ...args] = withParentDeathSignal(command);
  return new Promise((done) => {
    const child = spawn(file, args, { stdio: 'inherit', env });
    // A terminal's Ctrl-C reaches the whole process group by itself; sending it again would look like a
    // second, impatient Ctrl-C. Signals sent to this process alone must be passed on.
    const forward = (signal) => {
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    const watch = endWithNpm(() => child.kill('SIGTERM'));
    child.once('error', (error) => fail(`${file} could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      clearInterval(watch);
      done(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/**
 * Calls `end` when the npm that runs us is gone. A signal sent to npm ends npm and its shell, but the shell
 * does not pass it on: the target would run on with nobody to stop it.
 */
function endWithNpm(end) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const ancestors = () => `${process.ppid} ${parentOf(process.ppid)}`;
  const before = ancestors();
  const watch = setInterval(() => {
    if (ancestors() === before) return;
    clearInterval(watch);
    end();
  }, WATCH_MS);
  return watch;
}

/** Parent of a process where the system tells (Linux), else 0. */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

/** On Linux the target also ends when this process is killed outright: otherwise it would run on unseen. */
function withParentDeathSignal(command) {
  return existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM', ...command] : command;
}

/** The command line of a tool from node_modules, run by the given Node. */
function tool(node, packageName, args) {
  const home = join(ROOT, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const script = typeof bin === 'string' ? bin : (bin[packageName.split('/').at(-1)] ?? Object.values(bin)[0]);
  return [node, join(home, script), ...args];
}

/** Runs vitest and prints the counts alone on the last line, in words that any log reader understands. */
async function vitest(node, args) {
  const folder = join(ROOT, '.local', 'test-results');
  mkdirSync(folder, { recursive: true });
  const report = join(folder, `${process.pid}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  let code = await runToEnd(tool(node, 'vitest', ['run', ...reporters, ...args]), { CHIP_QUALITY_BOOTSTRAP: '1' });
  if (!existsSync(report)) return code || 1;
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites, testResults } =
    JSON.parse(readFileSync(report, 'utf8'));
  rmSync(report, { force: true });
  // A file that fails to load has no tests of its own, but it is a failure all the same.
  const brokenFiles = testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  if (code === 0 && numFailedTests + brokenFiles + (numFailedTestSuites > 0 ? 1 : 0) > 0) code = 1;
  console.log(
    `\n${numPassedTests} passed, ${numFailedTests + brokenFiles} failed, ${numPendingTests + numTodoTests} skipped`,
  );
  return code;
}

/** All checks, each to its end, so that one run shows everything that is wrong. */
async function verify(node, args) {
  const checks = [
    ['types', () => runToEnd(tool(node, 'typescript', ['--noEmit', '-p', join(ROOT, 'tsconfig.json')]))],
    [
      'types of the live page',
      () => runToEnd(tool(node, 'typescript', ['-p', join(ROOT, 'api/src/dashboard/browser/tsconfig.json')])),
    ],
    ['lint, format and import walls', () => runToEnd([join(ROOT, 'node_modules', '.bin', 'biome'), 'check', ROOT])],
    ['unused code', () => runToEnd(tool(node, 'knip', []))],
  ];
  if (!args.includes('--no-tests')) checks.push(['tests', () => vitest(node, TEST_PROJECTS)]);
  const failed = [];
  for (const [name, check] of checks) {
    console.log(`\n── ${name}`);
    if ((await check()) !== 0) failed.push(name);
  }
  console.log(failed.length === 0 ? '\nverify: all checks passed' : `\nverify: failed: ${failed.join('; ')}`);
  return failed.length === 0 ? 0 : 1;
}

/** kafkajs re-arms a timer with a negative delay now and then; Node's warning about it would be the first thing a newcomer reads. */
const NODE_OPTIONS = ['--disable-warning=TimeoutNegativeWarning'];
const TEST_PROJECTS = ['--project', 'fast', '--project', 'integration'];

async function main() {
  const [target, ...args] = process.argv.slice(2);
  if (target === undefined || target === '--help') {
    console.log('usage: node dev/run.mjs FILE.ts args… | --test | --vitest PROJECT | --verify | --install');
    return target === undefined ? 1 : 0;
  }
  if (major(process.version) < 20) fail(`Node 20 or newer is needed to begin with (this is ${process.version}).`);
  process.chdir(ROOT);
  await installDependencies(ROOT, log);
  const node = findNode();
  switch (target) {
    case '--install':
      return 0;
    case '--test':
      return vitest(node, [...TEST_PROJECTS, ...args]);
    case '--vitest': {
      const [project, ...rest] = args;
      if (project === undefined) fail('--vitest needs the name of a vitest project');
      return vitest(node, ['--project', project, ...rest]);
    }
    case '--verify':
      return verify(node, args);
    default: {
      if (target.startsWith('-')) fail(`unknown option ${target}`);
      const file = resolve(ROOT, target);
      if (!existsSync(file)) fail(`${target} does not exist`);
      // Compiled modules are kept: a second start of the platform spends half the processor time on its modules.
      const NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE ?? join(ROOT, '.local', 'compile-cache');
      return runToEnd([node, ...NODE_OPTIONS, file, ...args], { NODE_COMPILE_CACHE });
    }
  }
}

main().then(
  (code) => process.exit(code),
  (error) => fail(error instanceof Error ? error.message : String(error)),
);
