import './header-limit.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from 'millrace';
import { localDirectory } from '../config.ts';
import { planBoards } from '../run/board-plan.ts';
import { claimDirectory } from './claim-directory.ts';
import { describeError } from './describe-error.ts';
import { Ending } from './ending.ts';
import { LocalLine } from './local-line.ts';
import { environmentWith, parseOptions } from './options.ts';

/** The port to try first; when it is taken the next ones are tried, then any free one. */
const PORTS = [8080, 8081, 8082, 8083, 0];
/** Of a run that was to end by itself: as shells report an end by Ctrl-C. */
const EXIT_CODE_INTERRUPTED = 130;

const say = (line: string): void => console.log(line);

/** Brings everything up, lets the stations work, says how it went, and sets the exit code. */
async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const local = localDirectory(process.env);
  // A folder without images is told at once, not after everything has been started for it.
  const plan = await planBoards(options);
  await claimDirectory(local);

  const ending = new Ending(say);
  const environment = environmentWith(process.env, options);
  const line = await LocalLine.onStack({ environment, local, say, onFatal: (error) => ending.fail(error) });
  warningsTo(line.log);
  ending.guard(line, line.log);

  await line.open(options.port === undefined ? PORTS : [options.port]);
  if (line.isStopping) return;
  say(`live line: ${await line.livePage()}`);
  if (!options.stations) return;

  const outcome = await line.work(options, plan);
  if (outcome === undefined) {
    if (options.exit) process.exitCode = EXIT_CODE_INTERRUPTED;
  } else if (options.exit && !line.isStopping) {
    await ending.finish(outcome.line, outcome.isSound ? 0 : 1);
  } else {
    say(outcome.line);
  }
}

/**
 * Node prints warnings to the terminal, where people read how the run goes (kafkajs causes one by a timer in the past).
 */
function warningsTo(log: Log): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => log.warn({ err: warning }, 'Warning of Node'));
}

try {
  await main();
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
  await sleep(0);
  process.exit();
}
