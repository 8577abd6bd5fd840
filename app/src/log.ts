import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from 'millrace';
import { pino } from 'pino';

/** Structured lines to a file beside the stack's own logs: the terminal shows how the run goes. */
export function fileLog(local: string, level: string): Log {
  const directory = join(local, 'logs');
  mkdirSync(directory, { recursive: true });
  return pino({ level }, pino.destination({ dest: join(directory, 'platform.log'), sync: false }));
}

/** Structured lines to standard output, for containers. */
export function consoleLog(level: string): Log {
  return pino({ level });
}
