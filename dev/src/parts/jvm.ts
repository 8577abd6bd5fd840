import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { javaCommand } from '../preflight.ts';

/**
 * Flags for small servers that start often: the serial collector and the first compiler tier only take less
 * memory and CPU than the defaults, which are tuned for long-running big ones.
 */
export function jvmCommand(heapMegabytes: number, ...rest: readonly string[]): string[] {
  return [
    javaCommand(),
    `-Xmx${heapMegabytes}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:-UsePerfData',
    '-Xshare:auto',
    '-Djava.awt.headless=true',
    '-Djava.net.preferIPv4Stack=true',
    ...rest,
  ];
}

/** The class path of a library folder, in a fixed order. */
export function classPath(folder: string): string {
  const jars = readdirSync(folder).filter((file) => file.endsWith('.jar'));
  return jars
    .sort()
    .map((file) => join(folder, file))
    .join(':');
}
