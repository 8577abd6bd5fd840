// Run as a process of its own: holds the local state of task 0_1 until it is killed.
import { systemClock } from '../../src/base/clock.ts';
import { resolveConfig } from '../../src/base/default-config.ts';
import { StateDirectory } from '../../src/runtime/directory/state-directory.ts';

/** Renews far more often than the test, which waits longer, looks. */
const STATE_CLEANUP_DELAY_MS = 100;

const [stateDir = ''] = process.argv.slice(2);
const directory = new StateDirectory(
  resolveConfig({ applicationId: 'app', stateDir, stateCleanupDelayMs: STATE_CLEANUP_DELAY_MS }),
  'holder',
);
directory.lease('0_1');
const renew = (): void => {
  directory.cleanIfDue();
  systemClock.setTimer(10, renew);
};
renew();
process.stdout.write('held\n');
