// @ts-check
import uPlot from '/dashboard/vendor/uplot.js';
import { lineTitle } from './element.js';

/** @typedef {import('./line-statistics.d.ts').ChartData} ChartData */

/** Colours of lines, told apart also by people who see red and green alike; red is kept for limits. */
const LINE_COLOURS = ['#4c8dff', '#e8a33d', '#2bb8a3', '#b07cf2', '#8a9a5b', '#e27fb2', '#5cc8ee', '#a5876a'];
const HEIGHT_PX = 260;
/** Steps of the time axis that may be chosen from, in seconds: whole minutes. */
const TICK_SECONDS = [1, 2, 5, 10, 15, 30, 60].map((minutes) => minutes * 60);
/** Room at the right for half of the last time's label, px. */
const LABEL_MARGIN_PX = 28;
/** The axis starts at a multiple of this below the lowest point. */
const AXIS_STEP = 10;

/**
 * Yield per line and minute, with the plant's mean and its control limits.
 *
 * Owns: the uPlot instance, made anew when the set of lines or the colours change.
 */
export class YieldChart {
  /** @type {uPlot | undefined} */
  #plot;
  #shape = '';
  #target;

  /** @param {HTMLElement} target */
  constructor(target) {
    this.#target = target;
    new ResizeObserver(() => {
      this.#plot?.setSize({ width: this.#target.clientWidth, height: HEIGHT_PX });
    }).observe(target);
  }

  /** @param {ChartData} data */
  show(data) {
    const style = getComputedStyle(document.documentElement);
    const text = style.getPropertyValue('--text-soft').trim();
    const shape = `${data.names.join()} ${text}`;
    const values = /** @type {import('uplot').AlignedData} */ ([
      data.seconds,
      ...data.yields,
      data.mean,
      data.lower,
      data.upper,
    ]);
    if (this.#plot !== undefined && shape === this.#shape) {
      this.#plot.setData(values);
      this.#showLatest();
      return;
    }
    this.#shape = shape;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(data.names, style), values, this.#target);
    this.#showLatest();
  }

  /** The legend shows the newest minute while nobody points at another. */
  #showLatest() {
    const plot = this.#plot;
    const last = (plot?.data[0].length ?? 0) - 1;
    if (last >= 0 && plot?.cursor.idx == null) plot?.setLegend({ idx: last });
  }

  /**
   * @param {readonly string[]} names
   * @param {CSSStyleDeclaration} style
   * @returns {import('uplot').Options}
   */
  #options(names, style) {
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--text-soft'),
      grid: { stroke: colour('--grid'), width: 1 },
      ticks: { stroke: colour('--grid'), width: 1 },
      font: '12px system-ui, sans-serif',
    };
    const percent = (/** @type {number | null} */ value) => (value == null ? '–' : `${value.toFixed(1)} %`);
    const guide = (/** @type {string} */ label, /** @type {string} */ stroke, /** @type {number[]} */ dash) => ({
      label,
      stroke,
      dash,
      width: 1.5,
      points: { show: false },
      value: (/** @type {unknown} */ _, /** @type {number | null} */ value) => percent(value),
    });
    return {
      width: this.#target.clientWidth,
      height: HEIGHT_PX,
      padding: [null, LABEL_MARGIN_PX, null, null],
      cursor: { points: { size: 7 } },
      scales: {
        x: {
          time: true,
          // A line that has just started has one point: leave room for the minutes to come.
          range: (_, min, max) => [min, Math.max(max, min + 5 * 60)],
        },
        y: {
          range: (_, min) => [Math.max(0, Math.floor(((min ?? 90) - 1) / AXIS_STEP) * AXIS_STEP), 101],
        },
      },
      axes: [
        {
          ...axis,
          space: 80,
          // Yield comes by the minute: finer ticks would repeat their labels.
          incrs: TICK_SECONDS,
          values: (_, ticks) => ticks.map(clockTime),
        },
        { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => `${tick}%`) },
      ],
      series: [
        {
          label: 'Minute',
          value: (_, seconds) => (seconds == null ? '–' : clockTime(seconds)),
        },
        ...names.map((name, index) => ({
          label: lineTitle(name),
          stroke: LINE_COLOURS[index % LINE_COLOURS.length] ?? '#888',
          width: 2.25,
          spanGaps: true,
          points: { show: true, size: 6 },
          value: (/** @type {unknown} */ _, /** @type {number | null} */ value) => percent(value),
        })),
        guide('Mean p̄', colour('--text-soft'), [6, 4]),
        guide('Lower limit (−3σ)', colour('--fail'), [3, 3]),
        guide('Upper limit (+3σ)', colour('--limit-upper'), [3, 3]),
      ],
    };
  }
}

/** @param {number} seconds epoch seconds */
function clockTime(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}
