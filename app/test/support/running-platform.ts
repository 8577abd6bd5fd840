import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken, SCOPES, type Scope } from '@chip-quality/api';
import { DEFAULT_SERVICES, type DefaultStack, type ServiceName, startStack } from '@chip-quality/dev';
import { encodeJpeg, generateBoard } from '@chip-quality/models/boards';
import { readConfig } from '../../src/config.ts';
import { startDetector } from '../../src/detector/start-detector.ts';
import { fileLog } from '../../src/log.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { Platform } from '../../src/platform/platform.ts';
import { TOKEN_AUDIENCE, TOKEN_ISSUER } from '../../src/platform/token-checks.ts';
import { removeTestDirectory, testDirectory } from './test-directory.ts';

const SECRET = 'a secret of the tests, long enough for HS256';
const POLL_MS = 50;
/** A machine that runs other things besides answers late. */
const BOARD_MS_MAX = 60_000;
const PART_SEED = 5;
/** So many looks in a row without anything to do, {@link POLL_MS} apart, mean that all is done. */
const CALM_POLLS = 30;
const PROJECTED_TABLES = [
  'parts',
  'lots',
  'inspections',
  'artifacts',
  'inspection_events',
  'inferences',
  'predictions',
  'defects',
] as const;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind
  readonly body: any;
}

export interface RequestMore {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
  readonly key?: string;
  /** Default: a token with all scopes; null: none. */
  readonly token?: string | null;
}

export interface StartMore {
  readonly environment?: Readonly<Record<string, string>>;
  readonly services?: readonly ServiceName[];
  /** What judges, where the real thing doesn't do. */
  readonly startDetector?: typeof startDetector;
}

/**
 * The whole platform in the test's process, on a stack of its own: the platform's topics have fixed names, so nobody can
 * share one.
 *
 * Owns: stack and platform. Called by: tests that break things.
 */
export class RunningPlatform {
  readonly stack: DefaultStack;
  /** Failures that would have ended a real process. */
  readonly fatal: Error[] = [];
  /** Process ids of the stack's services, as the stack tells them. */
  readonly #progress: string[];
  readonly #directory: string;
  #environment: Readonly<Record<string, string>>;
  readonly #startDetector: typeof startDetector;
  #platform: Platform | undefined;
  #url = '';
  #token = '';
  #lotId = '';
  #chips = 0;

  private constructor(
    stack: DefaultStack,
    directory: string,
    progress: string[],
    environment: Readonly<Record<string, string>>,
    start: typeof startDetector,
  ) {
    this.#startDetector = start;
    this.#environment = environment;
    this.stack = stack;
    this.#directory = directory;
    this.#progress = progress;
  }

  /** `environment`: variables besides those of the stack. `services`: what the stack has, where the defaults don't do. */
  static async start(
    name: string,
    { environment = {}, services = DEFAULT_SERVICES, startDetector: start = startDetector }: StartMore = {},
  ): Promise<RunningPlatform> {
    const directory = testDirectory(name);
    removeTestDirectory(directory);
    const progress: string[] = [];
    const log = (line: string) => progress.push(line);
    const modelDirectory = environment['MODEL_DIRECTORY'];
    const served = modelDirectory === undefined ? {} : { modelRepository: dirname(modelDirectory) };
    const stack = (await startStack({ root: directory, durable: false, services, log, ...served })) as DefaultStack;
    const running = new RunningPlatform(stack, directory, progress, environment, start);
    await running.#start();
    return running;
  }

  async #start(): Promise<void> {
    await this.#boot();
    this.#lotId = await this.openLot('P-1', await goldenImage());
  }

  /** Stops the platform, not the stack, and starts it again on the same data. `environment`: variables that change. */
  async restart(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#platform?.close();
    this.#environment = { ...this.#environment, ...environment };
    await this.#boot();
  }

  async #boot(): Promise<void> {
    const config = readConfig(
      { LOCAL_DIR: this.#directory, JWT_SECRET: SECRET, INSTANCE_ID: 'test', LOG_LEVEL: 'info', ...this.#environment },
      this.stack,
    );
    this.#platform = new Platform(
      config,
      fileLog(this.#directory, config.logLevel),
      createMetrics(),
      (error) => this.fatal.push(error),
      this.#startDetector,
    );
    const port = await this.#platform.start({ api: true, worker: true }, [0]);
    this.#url = `http://127.0.0.1:${port}`;
    this.#token = await this.token();
  }

  /** A part with its golden image, if it has one, and a lot of it; answers the lot's id. */
  async openLot(partNumber: string, golden: Uint8Array | undefined): Promise<string> {
    const part = await this.request('POST', '/v1/parts', {
      body: { part_number: partNumber, part_type: 'pcb' },
      key: `part-${partNumber}`,
    });
    if (golden !== undefined) await this.upload(`/v1/parts/${part.body.id}`, golden, 'golden.jpg');
    const lot = await this.request('POST', '/v1/lots', {
      body: { lot_number: `lot-${partNumber}`, part_id: part.body.id, quantity: 1_000 },
      key: `lot-${partNumber}`,
    });
    return lot.body.id;
  }

  async stop(): Promise<void> {
    await this.#platform?.close();
    await this.stack.stop();
    removeTestDirectory(this.#directory);
  }

  /** Rows of the projection's tables, by table. */
  async rowCounts(): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (const table of PROJECTED_TABLES) {
      const result = await this.#platform?.pool.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
      counts[table] = Number(result?.rows[0]?.count);
    }
    return counts;
  }

  /** The row of an inspection's only inference. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into rows of every kind
  async inferenceOf(inspectionId: string): Promise<any> {
    const result = await this.#platform?.pool.query('SELECT * FROM inferences WHERE inspection_id = $1', [
      inspectionId,
    ]);
    if (result?.rows.length !== 1) throw new Error(`${inspectionId} has ${result?.rows.length} inferences`);
    return result.rows[0];
  }

  /** What Prometheus would read. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.#url}/metrics`)).text();
  }

  /** Resolves when every application has processed what is in its topics. */
  async caughtUp(): Promise<void> {
    const deadlineMs = performance.now() + BOARD_MS_MAX;
    let calm = 0;
    // A record that was processed may become records elsewhere: it must be calm for a while.
    while (calm < CALM_POLLS) {
      await sleep(POLL_MS);
      calm = this.#platform?.lag === 0 ? calm + 1 : 0;
      if (performance.now() > deadlineMs) throw new Error(`${this.#platform?.lag} records are left`);
    }
  }

  /** The address of the live page, with a token. */
  get livePage(): string {
    return `${this.#url}/#token=${this.#token}`;
  }

  /** Process id of a service of the stack, the newest where it was started again. */
  pidOf(service: string): number {
    const line = this.#progress.findLast((text) => text.startsWith(`${service} ready`));
    const pid = Number(/pid (\d+)/.exec(line ?? '')?.[1]);
    if (!Number.isInteger(pid)) throw new Error(`no process id of ${service} in:\n${this.#progress.join('\n')}`);
    return pid;
  }

  token(more: { scopes?: readonly Scope[]; secret?: string; lifetimeSeconds?: number; tenantId?: string } = {}) {
    const request = {
      secret: more.secret ?? SECRET,
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      subject: 'test',
      tenantId: more.tenantId ?? 'test',
      scopes: more.scopes ?? SCOPES,
      lifetimeSeconds: more.lifetimeSeconds ?? 3_600,
    };
    return mintToken(request, { nowMs: () => Date.now() });
  }

  async request(method: string, path: string, more: RequestMore = {}): Promise<Answer> {
    const token = more.token === undefined ? this.#token : more.token;
    const body = more.raw ?? (more.body === undefined ? undefined : JSON.stringify(more.body));
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(more.key === undefined ? {} : { 'idempotency-key': more.key }),
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** A body for `POST /v1/inspections` of a chip that nobody has seen. */
  inspectionBody(lotId = this.#lotId): { lot_id: string; chip_id: string; inspection_type: string; line_id: string } {
    this.#chips += 1;
    return { lot_id: lotId, chip_id: `chip-${this.#chips}`, inspection_type: 'visual', line_id: 'line-1' };
  }

  /** A new inspection's path. */
  async create(lotId = this.#lotId): Promise<string> {
    const body = this.inspectionBody(lotId);
    const created = await this.request('POST', '/v1/inspections', { body, key: `create-${body.chip_id}` });
    if (created.status !== 201) throw new Error(`create answered ${created.status} ${JSON.stringify(created.body)}`);
    return `/v1/inspections/${created.body.id}`;
  }

  /** Uploads (nothing, where there are no bytes) and confirms; answers the confirmation. */
  async upload(path: string, bytes: Uint8Array | undefined, filename: string): Promise<Answer> {
    const contentType = filename.endsWith('.png') ? 'image/png' : 'image/jpeg';
    const file = { filename, content_type: contentType };
    const presigned = await this.request('POST', `${path}/artifacts`, { body: file, key: `${path}-${filename}` });
    if (presigned.status !== 200) throw new Error(`presign answered ${presigned.status}`);
    if (bytes !== undefined) {
      const put = await fetch(presigned.body.upload_url, {
        method: 'PUT',
        headers: { 'content-type': contentType },
        body: new Uint8Array(bytes),
      });
      if (!put.ok) throw new Error(`PUT answered ${put.status}`);
    }
    return this.request('POST', `${path}/artifacts/confirm`, {
      body: { artifact_id: presigned.body.artifact_id, ...file },
      key: `${path}-${filename}-confirm`,
    });
  }

  /** Waits for the end of an inspection. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind
  async end(path: string, timeoutMs = BOARD_MS_MAX): Promise<any> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const { body } = await this.request('GET', path);
      if (body.status === 'completed' || body.status === 'failed') return body;
      if (performance.now() > deadlineMs) throw new Error(`${path} is ${body.status} after ${timeoutMs} ms`);
      await sleep(POLL_MS);
    }
  }

  /** Takes an image through create, upload, confirm, infer; answers the finished inspection. `wish`: the body of infer. */
  async inspect(
    bytes: Uint8Array,
    {
      filename = 'board.jpg',
      lotId = this.#lotId,
      wish = {},
    }: { filename?: string; lotId?: string; wish?: object } = {},
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind
  ): Promise<any> {
    const path = await this.create(lotId);
    const confirmed = await this.upload(path, bytes, filename);
    if (confirmed.status !== 200) throw new Error(`confirm answered ${confirmed.status}`);
    const queued = await this.request('POST', `${path}/infer`, { body: wish, key: `${path}-infer` });
    if (queued.status !== 202) throw new Error(`infer answered ${queued.status} ${JSON.stringify(queued.body)}`);
    return this.end(path);
  }

  /** Proof that the line goes on: a board with known defects gets its verdict, and each defect a second opinion. */
  async expectLineGoesOn(): Promise<void> {
    const inspection = await this.inspect(await boardImage());
    const isAsked = inspection.defects.every((defect: { second_opinion: unknown }) => defect.second_opinion !== null);
    if (inspection.status !== 'completed' || inspection.verdict !== 'fail' || !isAsked) {
      throw new Error(`a good image ended as ${JSON.stringify(inspection)}`);
    }
  }
}

/** The golden image of the boards' part, as a JPEG. */
export async function goldenImage(): Promise<Uint8Array> {
  return encodeJpeg(generateBoard({ seed: 0, partSeed: PART_SEED, defective: false }).golden);
}

/** A JPEG of a defective board. */
export async function boardImage(): Promise<Uint8Array> {
  return encodeJpeg(generateBoard({ seed: 3, partSeed: PART_SEED, defective: true }).image);
}
