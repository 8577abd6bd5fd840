import './header-limit.ts';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_SERVICES, type DefaultStack, socketAddress, startStack, tryListen } from '@chip-quality/dev';
import { loadSource, RunLedger } from '@chip-quality/stations';
import closeWithGrace from 'close-with-grace';
import { hasOwnStack, localDirectory, readConfig } from '../config.ts';
import { fileLog } from '../log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { Platform } from '../platform/platform.ts';
import { resultLine } from '../run/result-line.ts';
import { planRuns, Stations, settleRun } from '../run/run-control.ts';
import { ThroughputReport } from '../run/throughput-report.ts';
import { foundDefects } from '../run/verify-run.ts';
import { stationToken, viewerToken } from './demo-tokens.ts';
import { parseOptions, type StartOptions } from './options.ts';

/** The port that people remember; the next ones when it is taken, any free one in the end. */
const PORTS = [8080, 8081, 8082, 8083, 0];
/** Closing commits what is in flight; a broker that is away must not hold a terminal for longer. */
const CLOSE_TIMEOUT_MS = 30_000;
/** Of a run that was to end by itself: as shells report an end by Ctrl-C. */
const EXIT_CODE_INTERRUPTED = 130;

const options = parseOptions(process.argv.slice(2));
const local = localDirectory(process.env);
const say = (line: string): void => console.log(line);

/** Brings everything up, lets the stations work, and says how it went; answers the exit code. */
async function main(): Promise<void> {
  // A folder without images is told at once, not after everything has been started for it.
  const { boards, source, remark } = await runPlan(options);
  await claim();
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    ...(options.engine === undefined ? {} : { INFERENCE_ENGINE: options.engine }),
    ...(options.transport === undefined ? {} : { TRITON_TRANSPORT: options.transport }),
  };
  const modelDirectory = environment['MODEL_DIRECTORY'];
  const stack = hasOwnStack(process.env)
    ? undefined
    : ((await startStack({
        root: local,
        services: environment['INFERENCE_ENGINE'] === 'triton' ? [...DEFAULT_SERVICES, 'triton'] : DEFAULT_SERVICES,
        ...(modelDirectory === undefined ? {} : { modelRepository: dirname(modelDirectory) }),
        log: say,
        onLost: () => fail(new Error('the local stack went away: its supervisor ended; start again')),
        onServiceEnded: (service, how, restarts) =>
          say(`${service} ended (${how})${restarts ? ', starting it again' : ''}`),
      })) as DefaultStack);
  const config = readConfig(environment, stack);
  const log = fileLog(local, config.logLevel);
  // Node prints warnings on the terminal, which belongs to people (kafkajs arms a timer in the past, for one).
  process.removeAllListeners('warning');
  process.on('warning', (warning) => log.warn({ err: warning }, 'Warning of Node'));
  const platform = new Platform(config, log, createMetrics(), (error) => fail(error));
  const progress = new ThroughputReport(say);
  let stations: Stations | undefined;
  let working: Promise<RunOutcome | undefined> | undefined;
  const stop = new AbortController();

  let starting: Promise<number | undefined> | undefined;

  const stopAll = async (): Promise<void> => {
    stop.abort();
    // What is half up can't be closed; it takes seconds at most.
    await starting?.catch(() => undefined);
    await stations?.stop();
    // What the stations finished is still compared with the database, which must be there for it.
    await working?.catch(() => undefined);
    progress.stop();
    await platform.close();
    await stack?.stop();
  };
  const grace = closeWithGrace({ delay: CLOSE_TIMEOUT_MS, logger: false }, async ({ err, signal }) => {
    if (err !== undefined) {
      log.error({ err }, 'Stopping after an error');
      say(describe(err));
    }
    if (signal !== undefined) say('stopping; the boards in hand are finished first (Ctrl-C again ends at once)');
    await stopAll();
    // Left to itself it would end with 0 whatever `exitCode` says.
    if (process.exitCode !== undefined) process.exit();
  });
  function fail(error: unknown): void {
    process.exitCode = 1;
    grace.close();
    log.error({ err: error }, 'Fatal');
    say(describe(error));
  }

  starting = platform.start({ api: true, worker: true }, options.port === undefined ? PORTS : [options.port]);
  const port = await starting;
  if (stop.signal.aborted) return;
  const url = `http://127.0.0.1:${port}`;
  say(`live line: ${url}/#token=${await viewerToken(config.jwtSecret)}`);
  if (!options.stations) return;

  const token = await stationToken(config.jwtSecret);
  /** Answers whether the run is through; it is not when the stations were stopped before. */
  const work = async (ledger: RunLedger, begunOnly: boolean): Promise<boolean> => {
    await ledger.close();
    if (stop.signal.aborted) return false;
    stations = new Stations(
      {
        apiUrl: url,
        runDirectory: ledger.directory,
        ratePerMinute: begunOnly ? null : options.ratePerMinute,
        concurrency: options.concurrency,
        token,
        begunOnly,
      },
      progress,
    );
    say(`stations are working: run ${ledger.run.id}${begunOnly ? ' (what an earlier start left behind)' : ''}`);
    await stations.work();
    if (!stop.signal.aborted) return true;
    const left = await RunLedger.open(ledger.directory);
    await left.close();
    return left.pending().length === 0 && (begunOnly || left.intents.size >= (left.run.boards ?? 0));
  };
  /** Works everything off; undefined when it was stopped before the end. */
  const workOff = async (): Promise<RunOutcome | undefined> => {
    const { leftOver, current, resumed } = await planRuns(join(local, 'runs'), options, source, boards, Date.now());
    for (const ledger of leftOver) {
      if (!(await work(ledger, true))) return undefined;
      const ended = await RunLedger.open(ledger.directory);
      await ended.finish(Date.now());
      await ended.close();
    }
    if (remark !== undefined) say(remark);
    if (resumed)
      say(
        `going on with run ${current.run.id}: ${current.intents.size} boards begun, ${current.results.size} finished`,
      );
    if (!(await work(current, false))) {
      say(`run ${current.run.id} is not finished; the next start goes on with it`);
      return undefined;
    }
    const ledger = await RunLedger.open(current.directory);
    const verdict = await settleRun(platform.pool, ledger);
    const line = resultLine(ledger, verdict, await foundDefects(platform.pool, ledger.run.id));
    // Only now: a run that is killed while it is being checked is checked by the next start.
    await ledger.finish(Date.now());
    await ledger.close();
    progress.stop();
    if (verdict.suspects.length > 0) say(`lost or duplicated: ${verdict.suspects.join(', ')}`);
    return { line, sound: verdict.lost === 0 && verdict.duplicated === 0 };
  };
  working = workOff();
  const outcome = await working;
  if (outcome === undefined) {
    if (options.exit) process.exitCode = EXIT_CODE_INTERRUPTED;
    return;
  }
  if (!options.exit || stop.signal.aborted) {
    say(outcome.line);
    return;
  }
  grace.uninstall();
  await stopAll();
  // The line is the last word, and nothing that was left open may keep the process from saying it.
  process.stdout.write(`${outcome.line}\n`, () => process.exit(outcome.sound ? 0 : 1));
}

/**
 * Holds the data folder for this process until it ends, however it ends. Two platforms on one folder would be the same member of
 * the same consumer groups and take the partitions from each other for ever.
 */
async function claim(): Promise<void> {
  const lock = await tryListen(socketAddress(local, 'platform'));
  if (lock === undefined) {
    throw new Error(
      `another "npm start" is running (or still stopping) on ${local}: stop it first, or give this one a folder of its own with ` +
        'LOCAL_DIR=/some/folder npm start',
    );
  }
  lock.unref();
}

interface RunOutcome {
  /** The line that a run ends with. */
  readonly line: string;
  /** Nothing lost, nothing duplicated. */
  readonly sound: boolean;
}

async function runPlan({
  boards,
  images,
}: StartOptions): Promise<{ boards: number | null; source: string; remark: string | undefined }> {
  if (images === undefined) return { boards, source: 'generated', remark: undefined };
  const source = await loadSource({ boards, source: images, seed: 0 });
  return { boards: Math.min(boards ?? Infinity, source.size ?? Infinity), source: source.name, remark: source.remark };
}

function describe(error: unknown): string {
  const lines: string[] = [];
  for (let at: unknown = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    lines.push(at instanceof Error ? at.message : String(at));
  }
  return `error: ${lines.join('\n  because: ')}`;
}

try {
  await main();
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
  await sleep(0);
  process.exit();
}
