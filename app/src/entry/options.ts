import { TRITON_TRANSPORTS, type TritonTransport } from '@chip-quality/models';
import { Command, InvalidArgumentError, Option } from 'commander';
import { INFERENCE_ENGINES } from '../config.ts';

/** Boards a minute of the live demonstration: few enough to watch, and for a laptop that does other work as well. */
const DEMO_RATE_PER_MINUTE = 240;
/** Boards that the stations work on at once: enough to fill micro-batches of 16 while others upload. */
const CONCURRENCY = 16;
const CONCURRENCY_MAX = 256;
const PORT_MAX = 65_535;

/** What the command line of `npm start` says. */
export interface StartOptions {
  /** Boards to inspect; null: until stopped. */
  readonly boards: number | null;
  /** End when the boards are inspected, with the result line and an exit code. */
  readonly exit: boolean;
  /** Folder of the user's own images; undefined: the generated demonstration boards. */
  readonly images: string | undefined;
  /** Boards a minute; null: as fast as possible. */
  readonly ratePerMinute: number | null;
  /** Boards that the stations work on at once. */
  readonly concurrency: number;
  /** 0: any free port. Undefined: the preferred port, or a free one when it is taken. */
  readonly port: number | undefined;
  /** Of the generated boards: the same seed makes the same boards. Undefined: another one for each run. */
  readonly seed: number | undefined;
  /** Where the model runs; undefined: as INFERENCE_ENGINE says, in this process without it. */
  readonly engine: (typeof INFERENCE_ENGINES)[number] | undefined;
  /** How boards travel to Triton; undefined: as TRITON_TRANSPORT says, `uint8` without it. */
  readonly transport: TritonTransport | undefined;
  /** Start the platform without the simulated stations. */
  readonly stations: boolean;
}

/** Reads the command line of `npm start`. Ends the process with a message on a wrong option. */
export function parseOptions(argv: readonly string[]): StartOptions {
  const command = new Command('npm start --')
    .description('Brings up the local stack, the platform and the simulated test stations, and opens the live line.')
    .option('--boards <n>', 'inspect this many boards (default: until stopped, or all of --images)', positiveInteger)
    .option(
      '--exit',
      'end when all boards are inspected: one result line, exit code 0 only if none was lost or duplicated',
    )
    .option(
      '--images <dir>',
      'inspect your own images: DIR/boards, with DIR/golden and DIR/annotations where they are there',
    )
    .option(
      '--rate <n>',
      `boards a minute that the stations start, 0: as fast as possible (default: ${DEMO_RATE_PER_MINUTE}; 0 with --exit or --images)`,
      nonNegative,
    )
    .option(
      '--concurrency <n>',
      `boards that the stations work on at once, at most ${CONCURRENCY_MAX} (default: ${CONCURRENCY})`,
      positiveInteger,
    )
    .option(
      '--port <n>',
      'port of the API and the live page, 0: any free one (default: 8080, or the next free one; 0 with --exit)',
      portNumber,
    )
    .option('--seed <n>', 'seed of the generated boards (default: another one each time)', nonNegative)
    .addOption(
      new Option(
        '--engine <name>',
        'where the model runs: in this process, or in a local Triton server (default: in this process)',
      ).choices(INFERENCE_ENGINES),
    )
    .addOption(
      new Option(
        '--transport <name>',
        'how boards travel to Triton: greyscale bytes, the uploaded files themselves, or tensors (default: uint8)',
      ).choices(TRITON_TRANSPORTS),
    )
    .option('--no-stations', 'start the platform alone')
    .allowExcessArguments(false)
    .parse(argv, { from: 'user' });
  const given = command.opts<{
    boards?: number;
    exit?: boolean;
    images?: string;
    rate?: number;
    concurrency?: number;
    port?: number;
    seed?: number;
    engine?: (typeof INFERENCE_ENGINES)[number];
    transport?: TritonTransport;
    stations: boolean;
  }>();
  const exit = given.exit ?? false;
  if (exit && given.boards === undefined && given.images === undefined) {
    command.error('error: --exit needs --boards N or --images DIR');
  }
  if (exit && !given.stations) command.error('error: --exit needs the stations');
  if (given.transport !== undefined && given.engine !== 'triton') {
    command.error('error: --transport needs --engine triton');
  }
  if ((given.concurrency ?? 0) > CONCURRENCY_MAX) command.error(`error: --concurrency is at most ${CONCURRENCY_MAX}`);
  const paced = given.rate ?? (exit || given.images !== undefined ? 0 : DEMO_RATE_PER_MINUTE);
  return {
    boards: given.boards ?? null,
    exit,
    images: given.images,
    ratePerMinute: paced === 0 ? null : paced,
    concurrency: given.concurrency ?? CONCURRENCY,
    port: given.port ?? (exit ? 0 : undefined),
    seed: given.seed,
    engine: given.engine,
    transport: given.transport,
    stations: given.stations,
  };
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number above 0');
  return value;
}

function portNumber(text: string): number {
  const value = nonNegative(text);
  if (value > PORT_MAX) throw new InvalidArgumentError(`must be a port, 0 to ${PORT_MAX}`);
  return value;
}

function nonNegative(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number, 0 or above');
  return value;
}

/** The environment, with what the command line says otherwise. */
export function environmentWith(
  environment: NodeJS.ProcessEnv,
  { engine, transport }: Pick<StartOptions, 'engine' | 'transport'>,
): NodeJS.ProcessEnv {
  return {
    ...environment,
    ...(engine === undefined ? {} : { INFERENCE_ENGINE: engine }),
    ...(transport === undefined ? {} : { TRITON_TRANSPORT: transport }),
  };
}
