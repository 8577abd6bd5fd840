import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { buildOracle } from '../oracle-client.ts';

const MAIN_CLASS = 'millrace.oracle.Takeover';
const javaOptions = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
/** A start takes seconds; on a busy machine more. */
const RUNNING_TIMEOUT_MS = 90_000;
/** The program gives Kafka Streams 30 s to close. */
const CLOSED_TIMEOUT_MS = 60_000;
const TOPICS_TIMEOUT_MS = 60_000;

export interface JavaApplicationOptions {
  readonly bootstrapServers: string;
  readonly applicationId: string;
  readonly stateDir: string;
  readonly guarantee: 'at_least_once' | 'exactly_once_v2';
}

/**
 * Kafka Streams itself with the program of the takeover test, in a process of its own.
 *
 * Owns: the process. Called by: the takeover test.
 * Invariants: I1 `start` and `stop` end within their deadlines, or fail with what the program said; I2 a failed program is killed.
 */
export class JavaApplication {
  readonly #child: ChildProcess;
  readonly #said: string[] = [];
  readonly #ended: Promise<unknown>;
  #heard: () => void = () => {};

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit').finally(() => this.#heard());
    if (child.stdout === null) throw new Error('The Java application has no output.');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#said.push(line);
      this.#heard();
    });
  }

  /** Resolves when it is RUNNING. */
  static async start(options: JavaApplicationOptions): Promise<JavaApplication> {
    const { bootstrapServers, applicationId, stateDir, guarantee } = options;
    const classPath = await buildOracle(() => {});
    const run = ['run', bootstrapServers, applicationId, stateDir, guarantee];
    const child = spawn('java', [...javaOptions, '-cp', classPath, MAIN_CLASS, ...run], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const application = new JavaApplication(child);
    await application.#hears('RUNNING', RUNNING_TIMEOUT_MS);
    return application;
  }

  /** Commits, leaves the group and ends. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#hears('CLOSED', CLOSED_TIMEOUT_MS);
    await this.#ended;
  }

  /** For clean-up: ends it, if it still runs. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #hears(line: string, timeoutMs: number): Promise<void> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#heard();
    }, timeoutMs);
    try {
      while (!this.#said.includes(line)) {
        const ended = this.#child.exitCode !== null || this.#child.signalCode !== null;
        if (isLate || ended) {
          this.kill();
          throw new Error(`The Java application did not say ${line} but: ${this.#said.join(', ') || 'nothing'}`);
        }
        await new Promise<void>((resolve) => {
          this.#heard = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Partitions and configured settings of all topics with that prefix, as the broker tells Java. */
export async function describeTopics(
  bootstrapServers: string,
  prefix: string,
): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  const classPath = await buildOracle(() => {});
  const { stdout } = await promisify(execFile)(
    'java',
    [...javaOptions, '-cp', classPath, MAIN_CLASS, 'topics', bootstrapServers, prefix],
    { timeout: TOPICS_TIMEOUT_MS },
  );
  return JSON.parse(stdout);
}
