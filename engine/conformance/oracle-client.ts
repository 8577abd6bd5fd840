import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Observation } from './observation.ts';
import type { Params } from './topologies/family.ts';
import type { Step } from './vectors.ts';

const folder = join(import.meta.dirname, 'oracle');
const target = join(folder, 'target');
/** Enough for the store of a first Maven run; later ones take seconds. */
const BUILD_TIMEOUT_MS = 300_000;
/** A run takes milliseconds: an oracle that is silent for this long hangs. */
const ANSWER_TIMEOUT_MS = 60_000;
/** Small inputs: a small heap and the quick compiler start faster and leave the machine to others. */
const javaOptions = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** What the oracle is asked: a named topology, or a program given as data. */
export interface OracleRequest {
  readonly topology: string;
  readonly params: Params;
  readonly program?: unknown;
  readonly steps: readonly Step[];
}

export type OracleAnswer = Observation & {
  /** The Java program has no topology of that name. */
  readonly unknownTopology?: boolean;
};

/**
 * Kafka Streams itself, in a Java process that answers one run after another.
 *
 * Owns: the child process. Called by: the runner and tests. Invariant: one question at a time.
 */
export class Oracle {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('The oracle has no output.');
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Builds the Java program where its sources have changed, and starts it. */
  static async start(log: (line: string) => void = () => {}): Promise<Oracle> {
    const classPath = await buildOracle(log);
    const child = spawn('java', [...javaOptions, '-cp', classPath, 'millrace.oracle.Oracle'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.on('error', (error) => log(`java could not be started: ${error.message}`));
    return new Oracle(child);
  }

  /** What Kafka Streams does with the run. */
  ask(request: OracleRequest): Promise<OracleAnswer> {
    return this.#exchange(request) as Promise<OracleAnswer>;
  }

  /** Names of all topologies that the Java program has. */
  async names(): Promise<readonly string[]> {
    return ((await this.#exchange({ list: true })) as { names: string[] }).names;
  }

  close(): void {
    this.#child.stdin?.end();
    this.#child.kill();
  }

  #exchange(question: object): Promise<unknown> {
    const turn = this.#turn.then(async () => {
      this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
      const timer = setTimeout(() => this.#child.kill(), ANSWER_TIMEOUT_MS);
      const { value, done } = await this.#answers.next();
      clearTimeout(timer);
      if (done === true) throw new Error(`The oracle ended (${this.#child.exitCode ?? this.#child.signalCode}).`);
      return JSON.parse(value);
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

const run = promisify(execFile);

/** Fetches the libraries and compiles, each unless it was done for these very sources; answers the class path. */
export async function buildOracle(log: (line: string) => void): Promise<string> {
  const pom = readFileSync(join(folder, 'pom.xml'));
  const sources = globSync('src/**/*.java', { cwd: folder }).sort();
  const libraries = join(target, `lib-${digest([pom])}`);
  await once(libraries, async (into) => {
    log('fetching Kafka Streams with Maven …');
    await run('mvn', ['-B', '-q', '-ntp', 'dependency:copy-dependencies', `-DoutputDirectory=${into}`], {
      cwd: folder,
      timeout: BUILD_TIMEOUT_MS,
    });
  });
  const jars = join(libraries, '*');
  const classes = join(target, `classes-${digest([pom, ...sources.map((file) => readFileSync(join(folder, file)))])}`);
  await once(classes, async (into) => {
    log('compiling the Java oracle …');
    await run('javac', ['-nowarn', '--release', '17', '-cp', jars, '-d', into, ...sources], { cwd: folder });
  });
  return [classes, jars].join(delimiter);
}

/** Fills a folder whose name tells what is in it. Two that do so at the same time don't disturb each other. */
async function once(path: string, fill: (into: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  const temporary = `${path}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    await fill(temporary);
    if (!existsSync(path)) renameSync(temporary, path);
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
    throw new Error(`The Java oracle does not build: ${stdout || stderr || message}`);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function digest(contents: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const content of contents) hash.update(content);
  return hash.digest('hex').slice(0, 12);
}
