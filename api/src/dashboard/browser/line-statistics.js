// @ts-check

/** @typedef {import('./messages.d.ts').LineYield} LineYield */
/** @typedef {import('./messages.d.ts').Board} Board */
/** @typedef {import('./line-statistics.d.ts').LineState} LineState */
/** @typedef {import('./line-statistics.d.ts').LineSummary} LineSummary */

const MINUTE_MS = 60_000;
/** Fewer boards say nothing about a line. */
const BOARDS_MIN = 8;
/** How far back a slow line may reach to get there. */
const RECENT_MINUTES_MAX = 5;
/** A line that was quiet for longer is not running. */
const IDLE_AFTER_MS = 3 * MINUTE_MS;
const HISTORY_MINUTES = 60;
const LATENCIES_MAX = 2_000;
const LATENCY_AGE_MS_MAX = 5 * MINUTE_MS;
/**
 * Rejects below which no limit is broken: on a line that passes 999 boards of 1,000 one reject an hour is what it always was,
 * though it lies below three standard errors.
 */
const REJECTS_MIN = 3;
/** Below this share a line is bad even if it always was; judged only on enough boards. */
export const YIELD_FLOOR = 0.7;
const FLOOR_BOARDS_MIN = 30;

/**
 * Limits of a p-chart for a sample of `n` boards around the mean share `mean`: mean ± k standard errors, within 0 and 1.
 *
 * @param {number} mean
 * @param {number} n
 * @param {number} [k]
 */
export function controlLimits(mean, n, k = 3) {
  const error = n === 0 ? 1 : Math.sqrt((mean * (1 - mean)) / n);
  return { lower: Math.max(0, mean - k * error), upper: Math.min(1, mean + k * error) };
}

/**
 * The numbers of the page, from what the feed sends. Knows nothing of the document, so that it is tested without one.
 *
 * Owns: yields of the last hour, completion times and latencies of recent boards.
 * All times are the server's, in epoch ms.
 */
export class LineStatistics {
  /** @type {Map<string, Map<number, LineYield>>} */
  #lines = new Map();
  /** @type {{ completedAtMs: number, latencyMs: number }[]} */
  #recent = [];

  clear() {
    this.#lines.clear();
    this.#recent = [];
  }

  /** @param {LineYield} view */
  addYield(view) {
    const minutes = this.#lines.get(view.line_id) ?? new Map();
    this.#lines.set(view.line_id, minutes);
    minutes.set(Date.parse(view.window_start), view);
    const oldest = Math.max(...minutes.keys()) - HISTORY_MINUTES * MINUTE_MS;
    for (const start of minutes.keys()) if (start <= oldest) minutes.delete(start);
  }

  /** @param {Board} board */
  addBoard(board) {
    this.#recent.push({ completedAtMs: Date.parse(board.completed_at), latencyMs: board.latency_ms });
    if (this.#recent.length > LATENCIES_MAX) this.#recent.shift();
  }

  /**
   * Boards finished within the last minute: the running minute plus the part of the one before that is still within
   * sixty seconds. Single boards count too, since they come sooner than their line's yield.
   *
   * @param {number} nowMs
   */
  boardsPerMinute(nowMs) {
    const current = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    const remaining = 1 - (nowMs - current) / MINUTE_MS;
    const counted = this.#total(current) + this.#total(current - MINUTE_MS) * remaining;
    const seen = this.#recent.filter((board) => nowMs - board.completedAtMs <= MINUTE_MS).length;
    return Math.round(Math.max(counted, seen));
  }

  /**
   * 95th percentile of the time from creation to verdict over the last five minutes, ms.
   *
   * @param {number} nowMs
   */
  latencyP95Ms(nowMs) {
    const latencies = this.#recent
      .filter((board) => nowMs - board.completedAtMs <= LATENCY_AGE_MS_MAX)
      .map((board) => board.latencyMs)
      .sort((a, b) => a - b);
    return latencies[Math.ceil(latencies.length * 0.95) - 1];
  }

  /**
   * Every line, by name.
   *
   * @param {number} nowMs
   * @returns {LineSummary[]}
   */
  lines(nowMs) {
    const mean = this.mean(nowMs);
    return [...this.#lines.keys()]
      .sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
      .map((line) => this.#summary(line, mean, nowMs));
  }

  /**
   * Mean yield of the plant over the last hour, without the running minute (a fault must not hide itself in its own
   * reference) unless there is nothing else. Undefined without boards.
   *
   * @param {number} nowMs
   */
  mean(nowMs) {
    const current = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    const all = this.#lastHour(nowMs);
    const before = all.filter(([start]) => start < current);
    const { inspected, passed } = sum((before.length > 0 ? before : all).map(([, view]) => view));
    return inspected === 0 ? undefined : passed / inspected;
  }

  /**
   * The last hour, summed over lines and minutes.
   *
   * @param {number} nowMs
   */
  totals(nowMs) {
    return sum(this.#lastHour(nowMs).map(([, view]) => view));
  }

  /**
   * Defects of the last hour by type, most frequent first.
   *
   * @param {number} nowMs
   */
  defects(nowMs) {
    return Object.entries(this.totals(nowMs).defects).sort(([, a], [, b]) => b - a);
  }

  /**
   * Yield by minute, for the chart: starts of minutes (epoch s) and, per line, percentages or null, with the plant's
   * control limits for the mean sample of each minute.
   *
   * @param {number} nowMs
   */
  chart(nowMs) {
    const mean = this.mean(nowMs);
    const lastHour = this.#lastHour(nowMs);
    const names = [...new Set(lastHour.map(([, view]) => view.line_id))].sort((a, b) =>
      a.localeCompare(b, undefined, { numeric: true }),
    );
    const starts = [...new Set(lastHour.map(([start]) => start))].sort((a, b) => a - b);
    const limits = starts.map((start) => {
      const samples = [...this.#lines.values()]
        .map((minutes) => minutes.get(start)?.inspected ?? 0)
        .filter((n) => n > 0);
      const n = samples.length === 0 ? 0 : samples.reduce((a, b) => a + b) / samples.length;
      return mean === undefined || n === 0 ? undefined : controlLimits(mean, n);
    });
    return {
      names,
      seconds: starts.map((start) => start / 1000),
      yields: names.map((name) =>
        starts.map((start) => {
          const view = this.#lines.get(name)?.get(start);
          return view === undefined || view.inspected === 0 ? null : (100 * view.passed) / view.inspected;
        }),
      ),
      mean: starts.map(() => (mean === undefined ? null : 100 * mean)),
      lower: limits.map((limit) => (limit === undefined ? null : 100 * limit.lower)),
      upper: limits.map((limit) => (limit === undefined ? null : 100 * limit.upper)),
    };
  }

  /**
   * @param {string} line
   * @param {number | undefined} mean
   * @param {number} nowMs
   * @returns {LineSummary}
   */
  #summary(line, mean, nowMs) {
    const minutes = [...(this.#lines.get(line) ?? [])].sort(([a], [b]) => b - a);
    /** @type {LineYield[]} */
    const recent = [];
    for (const [start, view] of minutes) {
      const age = nowMs - start;
      // The running minute and the one before; further back only while there are too few boards.
      if (age > RECENT_MINUTES_MAX * MINUTE_MS || (age > 2 * MINUTE_MS && sum(recent).inspected >= BOARDS_MIN)) break;
      recent.push(view);
    }
    const { inspected, passed, defects } = sum(recent);
    const share = inspected === 0 ? undefined : passed / inspected;
    const lowerLimit = mean === undefined ? 0 : controlLimits(mean, inspected).lower;
    const topDefect = Object.entries(defects).sort(([, a], [, b]) => b - a)[0]?.[0];
    const newest = minutes[0]?.[0] ?? 0;
    const state = nowMs - newest > IDLE_AFTER_MS ? 'idle' : lineState(inspected, passed, mean);
    return { line, state, inspected, passed, yield: share, lowerLimit, topDefect };
  }

  /**
   * Minutes of all lines. A line that stopped longer ago says nothing about the present.
   *
   * @param {number} nowMs
   */
  #lastHour(nowMs) {
    return [...this.#lines.values()]
      .flatMap((minutes) => [...minutes])
      .filter(([start]) => start >= nowMs - HISTORY_MINUTES * MINUTE_MS);
  }

  /** @param {number} start */
  #total(start) {
    let total = 0;
    for (const minutes of this.#lines.values()) {
      const view = minutes.get(start);
      if (view !== undefined) total += view.inspected + view.errored;
    }
    return total;
  }
}

/**
 * @param {number} inspected
 * @param {number} passed
 * @param {number | undefined} mean
 * @returns {LineState}
 */
function lineState(inspected, passed, mean) {
  if (mean === undefined || inspected < BOARDS_MIN) return 'starting';
  const share = passed / inspected;
  if (inspected - passed < REJECTS_MIN) return 'good';
  if (share < controlLimits(mean, inspected).lower) return 'alarm';
  if (share < YIELD_FLOOR && inspected >= FLOOR_BOARDS_MIN) return 'alarm';
  return share < controlLimits(mean, inspected, 2).lower ? 'watch' : 'good';
}

/** @param {readonly LineYield[]} views */
function sum(views) {
  const total = { inspected: 0, passed: 0, errored: 0, defects: /** @type {Record<string, number>} */ ({}) };
  for (const view of views) {
    total.inspected += view.inspected;
    total.passed += view.passed;
    total.errored += view.errored;
    for (const [type, count] of Object.entries(view.defects)) total.defects[type] = (total.defects[type] ?? 0) + count;
  }
  return total;
}
