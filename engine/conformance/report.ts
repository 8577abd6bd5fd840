import type { Case, Verdict } from './vector-cases.ts';

/** Differences printed in full for one topology; more of the same kind rarely help. */
const SHOWN_BY_DEFAULT = 3;

interface Tally {
  passed: number;
  failed: number;
  deviated: number;
}

/**
 * Runs cases and prints what differs, a line for each topology, and the counts at the end.
 *
 * Owns: the counts. Called by: the command line. Invariant: cases of one topology come one after another.
 */
export class Report {
  readonly #tallies = new Map<string, Tally>();
  readonly #print: (line: string) => void;
  readonly #shown: number;
  #current: string | undefined;

  constructor(shown: number = SHOWN_BY_DEFAULT, print: (line: string) => void = console.log) {
    this.#shown = shown;
    this.#print = print;
  }

  async run({ topology, title, check }: Case): Promise<void> {
    this.#begin(topology);
    let verdict: Verdict;
    try {
      verdict = await check();
    } catch (error) {
      verdict = { differences: [{ of: 'error', text: error instanceof Error ? error.message : String(error) }] };
    }
    this.add(topology, title, verdict);
  }

  add(topology: string, title: string, { differences, deviation }: Verdict): void {
    this.#begin(topology);
    const tally = this.#tally(topology);
    if (differences.length === 0) {
      if (deviation === undefined) tally.passed += 1;
      else tally.deviated += 1;
      return;
    }
    tally.failed += 1;
    if (tally.failed > this.#shown) return;
    this.#print(`✗ ${topology}, ${title}`);
    for (const { of, text } of differences) this.#print(`  ${of}: ${text}`);
  }

  /** Prints the rest; answers the exit code. */
  close(): number {
    this.#end();
    const total: Tally = { passed: 0, failed: 0, deviated: 0 };
    for (const tally of this.#tallies.values()) {
      total.passed += tally.passed;
      total.failed += tally.failed;
      total.deviated += tally.deviated;
    }
    this.#print(`\n${total.deviated} deviated`);
    this.#print(`${total.passed} passed, ${total.failed} failed`);
    return total.failed === 0 ? 0 : 1;
  }

  /** Topologies with a failed case so far. */
  get failed(): ReadonlySet<string> {
    return new Set([...this.#tallies].filter(([, { failed }]) => failed > 0).map(([topology]) => topology));
  }

  #begin(topology: string): void {
    if (this.#current === topology) return;
    this.#end();
    this.#current = topology;
  }

  #end(): void {
    if (this.#current === undefined) return;
    const { passed, failed, deviated } = this.#tally(this.#current);
    const rest = deviated === 0 ? '' : `, ${deviated} deviated`;
    this.#print(`${failed === 0 ? '✓' : '✗'} ${this.#current}: ${passed} passed, ${failed} failed${rest}`);
  }

  #tally(topology: string): Tally {
    let tally = this.#tallies.get(topology);
    if (tally === undefined) {
      tally = { passed: 0, failed: 0, deviated: 0 };
      this.#tallies.set(topology, tally);
    }
    return tally;
  }
}
