import type { BoardView, LineYieldView } from '@chip-quality/schemas';

/** The types of `line-statistics.js`, for the page's other modules and for the tests. */
export type LineState = 'idle' | 'starting' | 'good' | 'watch' | 'alarm';

export interface LineSummary {
  line: string;
  state: LineState;
  /** The alarm is about boards without a verdict, whatever the others say. */
  unjudgedAlarm: boolean;
  /** Boards of the recent minutes that got a verdict. */
  inspected: number;
  passed: number;
  /** Those that got none. */
  errored: number;
  /** Share of 1; undefined without boards. */
  yield: number | undefined;
  /** Share of 1: below it the line is not what it was. */
  lowerLimit: number;
  /** Most frequent defect of the recent minutes. */
  topDefect: string | undefined;
}

export interface ChartData {
  names: string[];
  /** Starts of minutes, epoch seconds. */
  seconds: number[];
  /** Percentages per line and minute. */
  yields: (number | null)[][];
  mean: (number | null)[];
  lower: (number | null)[];
  upper: (number | null)[];
}

export const YIELD_FLOOR: number;
export const YIELD_TARGET: number;
export function controlLimits(mean: number, n: number, k?: number): { lower: number; upper: number };

export class LineStatistics {
  clear(): void;
  addYield(view: LineYieldView): void;
  addBoard(board: BoardView): void;
  boardsPerMinute(nowMs: number): number;
  latencyP95Ms(nowMs: number): number | undefined;
  lines(nowMs: number): LineSummary[];
  mean(nowMs: number): number | undefined;
  totals(nowMs: number): { inspected: number; passed: number; errored: number; defects: Record<string, number> };
  defects(nowMs: number): [string, number][];
  chart(nowMs: number): ChartData;
}
