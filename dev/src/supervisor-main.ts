/**
 * The supervisor process of one stack: `node supervisor-main.ts DATA_FOLDER`. Started by `startStack`, in a
 * session of its own, so that a terminal's Ctrl-C reaches the users of the stack and not the stack itself.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Supervisor } from './supervisor.ts';

const root = resolve(process.argv[2] ?? '');
const logFile = join(root, 'logs', 'supervisor.log');
mkdirSync(join(root, 'logs'), { recursive: true });
const log = (line: string) => appendFileSync(logFile, `${new Date().toISOString()} [${process.pid}] ${line}\n`);

process.on('uncaughtException', (error) => {
  log(`unexpected error: ${error.stack}`);
  process.exit(1); // the services get their stop signal from the system, or from the next supervisor
});

const supervisor = new Supervisor(root, log);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => void supervisor.stop(`got ${signal}`));
}
const served = await supervisor.serve();
if (!served) log('another supervisor serves this folder');
process.exit(0);
