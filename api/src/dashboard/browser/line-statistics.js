// @ts-check

/** @typedef {import('@chip-quality/schemas').LineYieldView} LineYield */
/** @typedef {import('@chip-quality/schemas').BoardView} Board */
/** @typedef {import('./line-statistics.d.ts').LineState} LineState */
/** @typedef {import('./line-statistics.d.ts').LineSummary} LineSummary */

const MINUTE_MS = 60_000;
/** Fewer boards say nothing about a line. */
const BOARDS_MIN = 8;
/** What the tile of a line tells: two minutes, and where they bring fewer boards than this, so many boards. */
const TILE_BOARDS = 20;
/** A slow line is judged by its last boards, however long they took; a fast one by these and by two minutes. */
const WINDOW_BOARDS = [BOARDS_MIN, TILE_BOARDS];
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
/** No line is measured by less, even if it always was worse. */
export const YIELD_FLOOR = 0.7;
/** What a plant is measured by until it has shown what it can do: it counts as so many boards of its past. */
export const YIELD_TARGET = 0.85;
const TARGET_BOARDS = 20;
/** In control for so many boards and minutes, a plant has shown what it can do: from then on it is measured by that. */
const BASELINE_BOARDS = 50;
const BASELINE_MINUTES = 20;
/**
 * One-sided chances of a false alarm a look: three standard errors for two minutes, and less for windows of boards. A fast line is
 * judged by two minutes; its last boards only show what is plain, within seconds.
 */
const TIME_WINDOW_CHANCE = 0.00135;
const SLOW_LINE_CHANCE = 0.0005;
const FAST_LINE_CHANCE = 0.0001;
/** Rejects expected from which the normal curve is near enough; below, the binomial distribution itself is asked. */
const NORMAL_REJECTS_MIN = 100;
/** A line of which so many recent boards, and this share of them, got no verdict is not being inspected. */
const UNJUDGED_MIN = 3;
const UNJUDGED_SHARE_MAX = 0.2;

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
  /** @type {{ share: number, mean: number | undefined } | undefined} */
  #frozen;

  clear() {
    this.#lines.clear();
    this.#recent = [];
    this.#frozen = undefined;
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
    const baseline = this.#baseline(nowMs);
    return [...this.#lines.keys()]
      .sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
      .map((line) => this.#summary(line, baseline.share, nowMs));
  }

  /**
   * Mean yield of the plant while it was in control: what its limits lie around. Undefined without such boards.
   *
   * @param {number} nowMs
   */
  mean(nowMs) {
    return this.#baseline(nowMs).mean;
  }

  /**
   * The baseline of the control limits, from the minutes in which each line was in control when they ended (as in phase I of a control
   * chart, Montgomery, Introduction to Statistical Quality Control, 6.2): a failure never becomes its own reference, however long it
   * lasts. Once {@link BASELINE_BOARDS} boards and {@link BASELINE_MINUTES} minutes have shown what is usual, the baseline stays until
   * the feed begins anew. The running minute is left out.
   *
   * @param {number} nowMs
   */
  #baseline(nowMs) {
    if (this.#frozen !== undefined) return this.#frozen;
    const current = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    const inControl = { inspected: 0, passed: 0 };
    const minutesInControl = new Set();
    let share = YIELD_TARGET;
    /** @type {Map<string, (readonly [number, LineYield])[]>} newest first */
    const past = new Map();
    for (const [start, view] of this.#lastHour(nowMs).sort(([a], [b]) => a - b)) {
      if (start >= current) break;
      const minutes = past.get(view.line_id) ?? [];
      past.set(view.line_id, minutes);
      minutes.unshift([start, view]);
      const state = lineState(shownOf(minutes, start + MINUTE_MS), minutes, share, start + MINUTE_MS);
      if (state !== 'good') continue;
      inControl.inspected += view.inspected;
      inControl.passed += view.passed;
      const ownAndTarget = (inControl.passed + TARGET_BOARDS * YIELD_TARGET) / (inControl.inspected + TARGET_BOARDS);
      share = Math.max(YIELD_FLOOR, ownAndTarget);
      minutesInControl.add(start);
      if (inControl.inspected >= BASELINE_BOARDS && minutesInControl.size >= BASELINE_MINUTES) {
        this.#frozen = { share, mean: inControl.passed / inControl.inspected };
        return this.#frozen;
      }
    }
    return { share, mean: inControl.inspected === 0 ? undefined : inControl.passed / inControl.inspected };
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
    const { share } = this.#baseline(nowMs);
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
      return n === 0 ? undefined : controlLimits(share, n);
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
      mean: starts.map(() => 100 * share),
      lower: limits.map((limit) => (limit === undefined ? null : 100 * limit.lower)),
      upper: limits.map((limit) => (limit === undefined ? null : 100 * limit.upper)),
    };
  }

  /**
   * @param {string} line
   * @param {number} baseline
   * @param {number} nowMs
   * @returns {LineSummary}
   */
  #summary(line, baseline, nowMs) {
    const minutes = [...(this.#lines.get(line) ?? [])]
      .filter(([start]) => start >= nowMs - HISTORY_MINUTES * MINUTE_MS)
      .sort(([a], [b]) => b - a);
    const shown = shownOf(minutes, nowMs);
    const { inspected, passed, errored, defects } = shown;
    const share = inspected === 0 ? undefined : passed / inspected;
    const topDefect = Object.entries(defects).sort(([, a], [, b]) => b - a)[0]?.[0];
    const last = Math.max(0, ...(this.#lines.get(line)?.keys() ?? []));
    const isIdle = nowMs - last > IDLE_AFTER_MS;
    return {
      line,
      state: isIdle ? 'idle' : lineState(shown, minutes, baseline, nowMs),
      unjudgedAlarm: !isIdle && isUnjudged(shown),
      inspected,
      passed,
      errored,
      yield: share,
      lowerLimit: controlLimits(baseline, inspected).lower,
      topDefect,
    };
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
 * @param {ReturnType<typeof sum>} shown
 * @param {readonly (readonly [number, LineYield])[]} minutes newest first
 * @param {number} baseline
 * @param {number} nowMs
 * @returns {LineState}
 */
function lineState(shown, minutes, baseline, nowMs) {
  if (isUnjudged(shown)) return 'alarm';
  if (shown.inspected < BOARDS_MIN) return 'starting';
  const byTime = newest(minutes, 0, nowMs - 2 * MINUTE_MS);
  const isFallen =
    isBelow(byTime.passed, byTime.inspected, baseline, TIME_WINDOW_CHANCE) ||
    WINDOW_BOARDS.some((boards) => {
      const { inspected, passed } = newest(minutes, boards, nowMs);
      const isSlow = byTime.inspected < boards;
      return isBelow(passed, inspected, baseline, isSlow ? SLOW_LINE_CHANCE : FAST_LINE_CHANCE);
    });
  if (isFallen) return 'alarm';
  const isRare = shown.inspected - shown.passed < REJECTS_MIN;
  const { lower } = controlLimits(baseline, shown.inspected, 2);
  return !isRare && shown.passed / shown.inspected < lower ? 'watch' : 'good';
}

/**
 * The newest minutes of a line: those that began after `sinceMs`, and as many more as bring `boards` boards.
 *
 * @param {readonly (readonly [number, LineYield])[]} minutes newest first
 * @param {number} boards
 * @param {number} sinceMs
 */
function newest(minutes, boards, sinceMs) {
  /** @type {LineYield[]} */
  const taken = [];
  let count = 0;
  for (const [start, view] of minutes) {
    if (start < sinceMs && count >= boards) break;
    taken.push(view);
    count += view.inspected + view.errored;
  }
  return sum(taken);
}

/**
 * What a line's tile tells.
 *
 * @param {readonly (readonly [number, LineYield])[]} minutes newest first
 * @param {number} nowMs
 */
function shownOf(minutes, nowMs) {
  return newest(minutes, TILE_BOARDS, nowMs - 2 * MINUTE_MS);
}

/** @param {ReturnType<typeof sum>} shown */
function isUnjudged({ inspected, errored }) {
  return errored >= UNJUDGED_MIN && errored > UNJUDGED_SHARE_MAX * (inspected + errored);
}

/**
 * Whether so few of `inspected` boards pass only with a chance below `chance` on a line that passes the share `baseline`.
 *
 * @param {number} passed
 * @param {number} inspected
 * @param {number} baseline
 * @param {number} chance
 */
function isBelow(passed, inspected, baseline, chance) {
  const rejects = inspected - passed;
  const expected = inspected * (1 - baseline);
  if (inspected < BOARDS_MIN || rejects < REJECTS_MIN || rejects <= expected) return false;
  if (expected >= NORMAL_REJECTS_MIN) {
    return rejects - expected > deviations(chance) * Math.sqrt(expected * baseline);
  }
  // P(rejects or more) = 1 − Σ P(k), k < rejects; each term from the one before.
  let term = baseline ** inspected;
  let fewer = term;
  for (let k = 1; k < rejects; k += 1) {
    term *= ((inspected - k + 1) / k) * ((1 - baseline) / baseline);
    fewer += term;
  }
  return 1 - fewer < chance;
}

/**
 * Standard errors beyond which a normal value lies with this one-sided chance.
 *
 * @param {number} chance one of those above
 */
function deviations(chance) {
  if (chance === TIME_WINDOW_CHANCE) return 3;
  return chance === SLOW_LINE_CHANCE ? 3.29 : 3.72;
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
