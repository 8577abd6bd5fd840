import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Observation } from './observation.ts';
import type { Params } from './topologies/family.ts';
import type { Step } from './vectors.ts';

const folder = join(import.meta.dirname, 'oracle');
const classes = join(folder, 'target', 'classes');
const stamp = join(folder, 'target', 'built-from');
/** Enough for the store of a first Maven run; later ones take seconds. */
const buildTimeoutMs = 300_000;
/** A run takes milliseconds: an oracle that is silent for this long hangs. */
const answerTimeoutMs = 60_000;
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
    await build(log);
    const path = [classes, join(folder, 'target', 'lib', '*')].join(process.platform === 'win32' ? ';' : ':');
    const child = spawn('java', [...javaOptions, '-cp', path, 'millrace.oracle.Oracle'], {
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
      const timer = setTimeout(() => this.#child.kill(), answerTimeoutMs);
      const { value, done } = await this.#answers.next();
      clearTimeout(timer);
      if (done === true) throw new Error(`The oracle ended (${this.#child.exitCode ?? this.#child.signalCode}).`);
      return JSON.parse(value);
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

async function build(log: (line: string) => void): Promise<void> {
  const hash = createHash('sha256').update(readFileSync(join(folder, 'pom.xml')));
  for (const file of globSync('src/**/*.java', { cwd: folder }).sort()) hash.update(readFileSync(join(folder, file)));
  const digest = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  log('building the Java oracle with Maven …');
  const goals = ['package', 'dependency:copy-dependencies', '-DoutputDirectory=target/lib'];
  await promisify(execFile)('mvn', ['-B', '-q', '-ntp', ...goals], { cwd: folder, timeout: buildTimeoutMs }).catch(
    (error: { message: string; stdout?: string }) => {
      throw new Error(`The Java oracle does not build: ${error.stdout || error.message}`);
    },
  );
  writeFileSync(stamp, digest);
}
