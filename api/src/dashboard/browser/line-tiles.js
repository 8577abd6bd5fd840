// @ts-check
import { byId, element, lineTitle, setText } from './element.js';

/** @typedef {import('./line-statistics.d.ts').LineSummary} LineSummary */

const STATE_TEXT = {
  idle: 'Not running',
  starting: 'Starting',
  good: 'In control',
  watch: 'Watch',
  alarm: 'Below limit',
};

/**
 * The tiles of the lines and the alarm above them.
 *
 * Owns: the tile elements, by line; which lines are in alarm.
 * Invariant: the alarm is announced when its set of lines changes, not with every number.
 */
export class LineTiles {
  /** @type {Map<string, { tile: HTMLElement, value: HTMLElement, state: HTMLElement, facts: HTMLElement }>} */
  #tiles = new Map();
  #list = byId('lines');
  #alarm = byId('alarm');
  #alarmed = '';

  /** @param {readonly LineSummary[]} lines */
  show(lines) {
    byId('lines-empty').hidden = lines.length > 0;
    for (const summary of lines) this.#showLine(summary);
    const names = new Set(lines.map((summary) => summary.line));
    for (const [line, { tile }] of this.#tiles) {
      if (names.has(line)) continue;
      tile.remove();
      this.#tiles.delete(line);
    }
    this.#showAlarm(lines.filter((summary) => summary.state === 'alarm'));
  }

  /** @param {LineSummary} summary */
  #showLine(summary) {
    const { tile, value, state, facts } = this.#tile(summary.line);
    tile.dataset.state = summary.state;
    setText(value, summary.yield === undefined ? '–' : `${(summary.yield * 100).toFixed(1)}%`);
    setText(state, summary.unjudgedAlarm ? 'No verdicts' : STATE_TEXT[summary.state]);
    const top = summary.topDefect === undefined ? '' : ` · mostly ${summary.topDefect}`;
    const unjudged = summary.errored === 0 ? '' : ` · ${summary.errored} without a verdict`;
    setText(facts, `${summary.passed} of ${summary.inspected} boards passed${unjudged}${top}`);
  }

  /** @param {string} line */
  #tile(line) {
    const known = this.#tiles.get(line);
    if (known !== undefined) return known;
    const value = element('p', { class: 'tile-value', 'data-testid': `yield-${line}` });
    const state = element('span', { class: 'tile-state' });
    const facts = element('p', { class: 'tile-facts' });
    const name = element('h3', { class: 'tile-name' }, lineTitle(line));
    const tile = element('li', { class: 'tile' }, element('div', { class: 'tile-head' }, name, state), value, facts);
    const made = { tile, value, state, facts };
    this.#tiles.set(line, made);
    // In the order of their names, whenever they appear.
    const next = [...this.#tiles.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
    const after = next[next.indexOf(line) + 1];
    this.#list.insertBefore(tile, after === undefined ? null : (this.#tiles.get(after)?.tile ?? null));
    return made;
  }

  /** @param {readonly LineSummary[]} lines */
  #showAlarm(lines) {
    const alarmed = lines.map((summary) => `${summary.line} ${summary.unjudgedAlarm}`).join();
    this.#alarm.hidden = lines.length === 0;
    if (alarmed === this.#alarmed) return;
    this.#alarmed = alarmed;
    const sentences = lines.map((summary) => {
      if (summary.unjudgedAlarm) {
        const boards = summary.inspected + summary.errored;
        return `${lineTitle(summary.line)} is not being inspected: ${summary.errored} of its last ${boards} boards got no verdict.`;
      }
      const limit = summary.lowerLimit;
      const top = summary.topDefect === undefined ? '' : `, mostly ${summary.topDefect}`;
      return (
        `${lineTitle(summary.line)} has fallen below its limit: ${((summary.yield ?? 0) * 100).toFixed(0)} % of ` +
        `${summary.inspected} boards passed, the limit is ${(limit * 100).toFixed(0)} %${top}.`
      );
    });
    setText(this.#alarm, sentences.join(' '));
  }
}
