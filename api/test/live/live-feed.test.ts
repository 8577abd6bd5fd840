import type { LiveMessage } from '@chip-quality/schemas';
import { describe, expect, it } from 'vitest';
import { createLiveFeed } from '../../src/index.ts';
import { board, lineYield } from '../support/feed-data.ts';

const MINUTE_MS = 60_000;

describe('the live feed', () => {
  it('gives the missed messages, nothing for the present, and undefined for what is gone or never was', () => {
    const feed = createLiveFeed({ historyMessages: 3 });
    const { epoch } = feed.snapshot('t');
    for (let index = 0; index < 20; index += 1) feed.publishBoard('t', board());
    expect(feed.since('t', epoch, 17)?.map((message) => message.offset)).toEqual([18, 19, 20]);
    expect(feed.since('t', epoch, 20)).toEqual([]);
    expect(feed.since('t', epoch, 21)).toBeUndefined();
    expect(feed.since('t', epoch, 2)).toBeUndefined();
    expect(feed.since('t', 'another', 20)).toBeUndefined();
  });

  it('is rebuilt from a snapshot at any offset plus the messages after it', () => {
    const feed = createLiveFeed();
    for (let index = 0; index < 5; index += 1) feed.publishYield('t', lineYield('A', index * MINUTE_MS, 10, index));
    const snapshot = feed.snapshot('t');
    feed.publishYield('t', lineYield('A', 4 * MINUTE_MS, 11, 5));
    feed.publishYield('t', lineYield('B', 4 * MINUTE_MS, 1, 1));
    const state = new Map(snapshot.yields.map((view) => [`${view.line_id} ${view.window_start}`, view]));
    for (const message of feed.since('t', snapshot.epoch, snapshot.offset) as readonly LiveMessage[]) {
      if (message.type === 'yield') state.set(`${message.data.line_id} ${message.data.window_start}`, message.data);
    }
    expect(new Set(state.values())).toEqual(new Set(feed.snapshot('t').yields));
  });

  it('drops a redelivered board', () => {
    const feed = createLiveFeed();
    const view = board();
    feed.publishBoard('t', view);
    feed.publishBoard('t', { ...view });
    expect(feed.snapshot('t')).toMatchObject({ offset: 1, boards: [view] });
  });

  it('keeps its bounds: boards, minutes a line, lines, tenants', () => {
    const feed = createLiveFeed({ boards: 2, minutesPerLine: 2, lines: 2, tenants: 2, historyMessages: 1 });
    for (const line of ['A', 'B', 'C']) {
      // Out of order: the oldest minute goes, not the first that came.
      for (const minute of [2, 0, 1]) feed.publishYield('t', lineYield(line, minute * MINUTE_MS, 1, 1));
      feed.publishBoard('t', board({ chip_id: line }));
    }
    const snapshot = feed.snapshot('t');
    expect(snapshot.boards.map((view) => view.chip_id)).toEqual(['B', 'C']);
    expect(snapshot.yields.map((view) => `${view.line_id}${new Date(view.window_start).getUTCMinutes()}`)).toEqual([
      'B2',
      'B1',
      'C2',
      'C1',
    ]);
  });

  it('never forgets a tenant that somebody watches, and gives a forgotten one another epoch', () => {
    const feed = createLiveFeed({ tenants: 2 });
    const heard: LiveMessage[] = [];
    const unsubscribe = feed.subscribe('watched', (message) => heard.push(message));
    const before = feed.snapshot('forgotten').epoch;
    for (const tenant of ['a', 'b', 'c']) feed.publishBoard(tenant, board());
    feed.publishBoard('watched', board());
    unsubscribe();
    feed.publishBoard('watched', board());
    expect(heard).toHaveLength(1);
    expect(feed.snapshot('forgotten').epoch).not.toBe(before);
  });
});
