import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs npm in `folder` to its end with the machine's registry configuration; fails with the errors that npm printed. */
export async function npm(folder: string, command: readonly string[]): Promise<void> {
  const args = [...command, '--loglevel=error'];
  const script = process.env['npm_execpath'];
  const env = { ...process.env };
  // What `npm run x` sets for its own script must not steer the inner npm.
  for (const name of ['npm_config_prefix', 'npm_command', 'npm_lifecycle_event']) delete env[name];
  if (script !== undefined && /npm-cli\.c?js$/.test(script)) {
    await run(process.execPath, [script, ...args], { cwd: folder, env });
  } else {
    await run('npm', args, { cwd: folder, env, shell: process.platform === 'win32' });
  }
}
