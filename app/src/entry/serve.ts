import './header-limit.ts';
import closeWithGrace from 'close-with-grace';
import { readConfig } from '../config.ts';
import { consoleLog } from '../log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { Platform, type PlatformRoles } from '../platform/platform.ts';

/** The port inside a container. */
const PORT = 8080;
const CLOSE_TIMEOUT_MS = 30_000;

/** Runs some roles of the platform against the services that the environment names, until a signal. */
export async function serve(roles: PlatformRoles): Promise<void> {
  const config = readConfig(process.env, undefined);
  const log = consoleLog(config.logLevel);
  const platform = new Platform(config, log, createMetrics(), (error) => {
    // Kubernetes and Compose start a process again when it ends, but not one that runs on without the component that failed.
    log.error({ err: error }, 'Fatal');
    process.exitCode = 1;
    grace.close();
  });
  const grace = closeWithGrace({ delay: CLOSE_TIMEOUT_MS, logger: false }, async ({ err }) => {
    if (err !== undefined) log.error({ err }, 'Stopping after an error');
    await platform.close();
    // Left to itself it would end with 0 whatever `exitCode` says, and nobody would start it again.
    if (process.exitCode !== undefined) process.exit();
  });
  const port = await platform.start(roles, [Number(process.env['PORT'] ?? PORT)]);
  log.info({ port, ...roles }, 'The platform is up');
}
