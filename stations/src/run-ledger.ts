import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** A defect that is known to be on a board: pixels of the 640 × 640 image, and the label the detector should give it. */
export interface KnownDefect {
  /** Left edge, pixels. */
  readonly x1: number;
  /** Upper edge, pixels. */
  readonly y1: number;
  /** Right edge, pixels. */
  readonly x2: number;
  /** Lower edge, pixels. */
  readonly y2: number;
  /** What a detector should call it. */
  readonly label: string;
}

/** What a run inspects; a resumed run must be given the same. */
export interface RunPlan {
  /** Boards to inspect; null: until stopped. */
  readonly boards: number | null;
  /** `generated`, or the folder of the user's own images. */
  readonly source: string;
  /** Seeds the generated boards: board `i` of a run is always the same image. */
  readonly seed: number;
}

/** A run as `run.json` has it. */
export interface Run extends RunPlan {
  /** Start time and a random number; also the name of the run's folder. */
  readonly id: string;
  /** Epoch ms. */
  readonly startedAtMs: number;
  /** Epoch ms; null: it was cut off, or still runs. */
  readonly finishedAtMs: number | null;
}

/** Written, and on the disk, before the first request for a board leaves. */
export interface BoardIntent {
  /** Number of the board in the run, from 0. */
  readonly index: number;
  /** Serial number that it was given. */
  readonly chipId: string;
  /** Lot that it belongs to. */
  readonly lotNumber: string;
  /** Production line that it ran on. */
  readonly lineId: string;
  /** Test station that took its picture. */
  readonly stationId: string;
  /** Undefined where the truth is unknown (a user's images without annotations). */
  readonly defects: readonly KnownDefect[] | undefined;
  /** When it was written, epoch ms. */
  readonly atMs: number;
}

/** Written when a station has seen the end of a board's inspection. */
export interface BoardResult {
  /** Number of the board in the run. */
  readonly index: number;
  /** Inspection that judged it; empty where it was refused. */
  readonly inspectionId: string;
  /**
   * `completed`: it was judged; `failed`: the platform gave no verdict; `refused`: the API took the board but not its
   * image (empty, too large), so there is nothing to inspect.
   */
  readonly status: 'completed' | 'failed' | 'refused';
  /** Why there is no verdict; null where there is one. */
  readonly reason: string | null;
  /** From the first request for the board to the completion that the platform reported, ms. */
  readonly latencyMs: number;
  /** When the station saw the end, epoch ms. */
  readonly completedAtMs: number;
}

/**
 * The stations' own memory of a run, in `<runs>/<id>/`: `run.json`, `intents.jsonl`, `results.jsonl`.
 *
 * Owns: the three files of one run.
 * Called by: the stations while they work; the check at the end, which compares it with PostgreSQL.
 * Invariants: I1 an intent is on the disk before `intend` resolves; I2 a torn last line (the process was killed while writing)
 * is an intent that never left, and is dropped; I3 a run without `finishedAtMs` is unfinished and will be resumed.
 */
export class RunLedger {
  /** What the run is, as its first line said. */
  readonly run: Run;
  /** Boards that were begun, by index. */
  readonly intents = new Map<number, BoardIntent>();
  /** Boards that came to an end, by index. */
  readonly results = new Map<number, BoardResult>();
  /** Folder of the three files. */
  readonly directory: string;
  readonly #intentLog: AppendLog;
  readonly #resultLog: AppendLog;

  private constructor(directory: string, run: Run, intentLog: AppendLog, resultLog: AppendLog) {
    this.directory = directory;
    this.run = run;
    this.#intentLog = intentLog;
    this.#resultLog = resultLog;
  }

  /** Starts a new run. */
  static async create(runsDirectory: string, plan: RunPlan, nowMs: number): Promise<RunLedger> {
    const id = `${new Date(nowMs).toISOString().replace(/[-:T]/g, '').slice(0, 14)}-${randomUUID().slice(0, 8)}`;
    const directory = join(runsDirectory, id);
    await mkdir(directory, { recursive: true });
    const run: Run = { ...plan, id, startedAtMs: nowMs, finishedAtMs: null };
    await writeDurably(join(directory, 'run.json'), JSON.stringify(run, undefined, 2));
    return RunLedger.open(directory);
  }

  /** Reads a run from its folder and goes on with it. Rejects where there is none. */
  static async open(directory: string): Promise<RunLedger> {
    const run = JSON.parse(await readFile(join(directory, 'run.json'), 'utf8')) as Run;
    const intents = await readLines<BoardIntent>(join(directory, 'intents.jsonl'));
    const results = await readLines<BoardResult>(join(directory, 'results.jsonl'));
    const ledger = new RunLedger(
      directory,
      run,
      await AppendLog.open(join(directory, 'intents.jsonl'), intents.validBytes),
      await AppendLog.open(join(directory, 'results.jsonl'), results.validBytes),
    );
    for (const intent of intents.entries) ledger.intents.set(intent.index, intent);
    for (const result of results.entries) ledger.results.set(result.index, result);
    return ledger;
  }

  /** The runs that were cut off, oldest first. */
  static async unfinished(runsDirectory: string): Promise<RunLedger[]> {
    const names = await readdir(runsDirectory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [] as string[];
      throw error;
    });
    const ledgers: RunLedger[] = [];
    for (const name of names.sort()) {
      const text = await readFile(join(runsDirectory, name, 'run.json'), 'utf8').catch(
        (error: NodeJS.ErrnoException) => {
          // A folder without run.json: killed before the run began, nothing was sent.
          if (error.code === 'ENOENT') return undefined;
          throw error;
        },
      );
      if (text === undefined || (JSON.parse(text) as Run).finishedAtMs !== null) continue;
      ledgers.push(await RunLedger.open(join(runsDirectory, name)));
    }
    return ledgers;
  }

  /** Writes that a board is about to be sent; resolves when that is on the disk. */
  async intend(intent: BoardIntent): Promise<void> {
    await this.#intentLog.append(JSON.stringify(intent));
    this.intents.set(intent.index, intent);
  }

  /** Writes how a board ended; resolves when that is on the disk. */
  async finishBoard(result: BoardResult): Promise<void> {
    await this.#resultLog.append(JSON.stringify(result));
    this.results.set(result.index, result);
  }

  /** Intents without a result, by index: what a resumed run does first. */
  pending(): BoardIntent[] {
    return [...this.intents.values()]
      .filter((intent) => !this.results.has(intent.index))
      .sort((left, right) => left.index - right.index);
  }

  /**
   * Boards that nobody intended yet, by index, without end. Stations take pictures at the same time, so a kill may leave holes
   * below the highest intent: they come first, or a resumed run would be short of them.
   */
  *unintended(): Generator<number, never> {
    const taken = new Set(this.intents.keys());
    for (let index = 0; ; index += 1) if (!taken.has(index)) yield index;
  }

  /** Marks the run as complete. */
  async finish(nowMs: number): Promise<void> {
    await writeDurably(
      join(this.directory, 'run.json'),
      JSON.stringify({ ...this.run, finishedAtMs: nowMs }, undefined, 2),
    );
  }

  /** Closes the files; the ledger can't be written afterwards. */
  async close(): Promise<void> {
    await this.#intentLog.close();
    await this.#resultLog.close();
  }
}

/** Lines that are on the disk when `append` resolves; lines that wait together share one `fdatasync`. */
class AppendLog {
  readonly #file: FileHandle;
  #waiting: { line: string; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #writing: Promise<void> | undefined;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string, validBytes: number): Promise<AppendLog> {
    const file = await open(path, constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND);
    await file.truncate(validBytes);
    return new AppendLog(file);
  }

  append(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#file.write(`${group.map((entry) => entry.line).join('\n')}\n`);
        await this.#file.datasync();
        for (const entry of group) entry.resolve();
      } catch (error) {
        for (const entry of group) entry.reject(error);
      }
    }
    this.#writing = undefined;
  }
}

async function readLines<T>(path: string): Promise<{ entries: T[]; validBytes: number }> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const end = text.lastIndexOf('\n') + 1;
  const whole = text.slice(0, end);
  const entries = whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
  return { entries, validBytes: Buffer.byteLength(whole) };
}

async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
