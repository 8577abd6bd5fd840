import { loadSource, RunLedger } from '@chip-quality/stations';
import type { Pool } from 'pg';
import type { StartOptions } from '../entry/options.ts';
import type { BoardPlan } from './board-plan.ts';
import { resultLine } from './result-line.ts';
import { planRuns, Stations, settleRun } from './run-control.ts';
import { ThroughputReport } from './throughput-report.ts';
import { foundDefects } from './verify-run.ts';

/** How a run ended. */
export interface RunOutcome {
  /** The line that a run ends with. */
  readonly line: string;
  /** Nothing lost, nothing duplicated. */
  readonly isSound: boolean;
}

/** Where the stations work, and for whom. */
export interface RunSurroundings {
  readonly apiUrl: string;
  /** The stations' token. */
  readonly token: string;
  readonly runsDirectory: string;
  readonly pool: Pool;
  readonly say: (line: string) => void;
}

/**
 * What the stations have to do: the runs that earlier starts left unfinished, then the one asked for.
 *
 * Owns: the stations of the moment, and the report of their throughput. Called by: the local line.
 * Invariants: I1 a run is finished only after it was compared with the database, so that one that is killed before is compared by
 * the next start; I2 after `stop` no stations are started.
 */
export class RunWork {
  readonly #surroundings: RunSurroundings;
  readonly #options: StartOptions;
  readonly #plan: BoardPlan;
  readonly #progress: ThroughputReport;
  #stations: Stations | undefined;
  #working: Promise<RunOutcome | undefined> | undefined;
  #isStopping = false;

  constructor(surroundings: RunSurroundings, options: StartOptions, plan: BoardPlan) {
    this.#surroundings = surroundings;
    this.#options = options;
    this.#plan = plan;
    this.#progress = new ThroughputReport(surroundings.say);
  }

  /** Works everything off; undefined when it was stopped before the end. Once. */
  workOff(): Promise<RunOutcome | undefined> {
    this.#working ??= this.#workOff();
    return this.#working;
  }

  /** Lets boards that were begun finish; what the stations finished is still compared with the database. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#stations?.stop();
    await this.#working?.catch(() => undefined);
    this.#progress.stop();
  }

  async #workOff(): Promise<RunOutcome | undefined> {
    const { runsDirectory, say } = this.#surroundings;
    const { source, boards, remark } = this.#plan;
    const { leftOver, current, resumed } = await planRuns(runsDirectory, this.#options, source, boards, Date.now());
    for (const ledger of leftOver) {
      if (await this.#isOutOfReach(ledger)) continue;
      if (!(await this.#work(ledger, true))) return undefined;
      const ended = await RunLedger.open(ledger.directory);
      await ended.finish(Date.now());
      await ended.close();
    }
    if (remark !== undefined) say(remark);
    const { id } = current.run;
    if (resumed) say(`going on with run ${id}: ${current.intents.size} boards begun, ${current.results.size} finished`);
    if (await this.#work(current, false)) return this.#settle(current.directory);
    say(`run ${id} is not finished; the next start goes on with it`);
    return undefined;
  }

  /** The folder of a run's boards may be gone since: what it finished stands, and the run is closed, or it would stop every start. */
  async #isOutOfReach(ledger: RunLedger): Promise<boolean> {
    try {
      await loadSource(ledger.run);
      return false;
    } catch (error) {
      const { id } = ledger.run;
      const { intents, results } = ledger;
      this.#surroundings.say(
        `run ${id}, which an earlier start left behind, is closed: its boards can't be read any more (${(error as Error).message}); ` +
          `${results.size} of ${intents.size} boards that were begun are finished`,
      );
      await ledger.finish(Date.now());
      await ledger.close();
      return true;
    }
  }

  /** Answers whether the run is through; it is not when the stations were stopped before. */
  async #work(ledger: RunLedger, begunOnly: boolean): Promise<boolean> {
    await ledger.close();
    if (this.#isStopping) return false;
    const { apiUrl, token, say } = this.#surroundings;
    const { concurrency, ratePerMinute } = this.#options;
    this.#stations = new Stations(
      {
        apiUrl,
        runDirectory: ledger.directory,
        ratePerMinute: begunOnly ? null : ratePerMinute,
        concurrency,
        token,
        begunOnly,
      },
      this.#progress,
    );
    say(`stations are working: run ${ledger.run.id}${begunOnly ? ' (what an earlier start left behind)' : ''}`);
    await this.#stations.work();
    if (!this.#isStopping) return true;
    const left = await RunLedger.open(ledger.directory);
    await left.close();
    return left.pending().length === 0 && (begunOnly || left.intents.size >= (left.run.boards ?? 0));
  }

  /** Compares a run that is through with the database. */
  async #settle(directory: string): Promise<RunOutcome> {
    const { pool, say } = this.#surroundings;
    const ledger = await RunLedger.open(directory);
    const verdict = await settleRun(pool, ledger);
    const line = resultLine(ledger, verdict, await foundDefects(pool, ledger.run.id));
    await ledger.finish(Date.now());
    await ledger.close();
    this.#progress.stop();
    if (verdict.suspects.length > 0) say(`lost or duplicated: ${verdict.suspects.join(', ')}`);
    return { line, isSound: verdict.lost === 0 && verdict.duplicated === 0 };
  }
}
