import type { PublishingLiveFeed } from '@chip-quality/api';
import { topics } from '@chip-quality/schemas';
import type { Log } from 'millrace';
import { boardView, lineYieldView } from '../reads/live-views.ts';
import type { Component } from './component.ts';
import type { Connections } from './connections.ts';
import { Reader } from './reader.ts';

/** A page that opens sees the last hour's yield at once. */
const YIELD_HISTORY_MS = 3_600_000;
/** Boards of the last minutes are shown at once, too. */
const BOARD_HISTORY_MS = 120_000;

/** What the live page is fed from. */
export function liveReaders(live: PublishingLiveFeed, connections: Connections, log: Log): readonly Component[] {
  const { serdes } = connections;
  const nowMs = Date.now();
  return [
    new Reader(
      {
        name: 'live yields',
        topic: topics.lineYield,
        value: serdes.LineYieldEvent,
        from: { timestampMs: nowMs - YIELD_HISTORY_MS },
        onValue: (event) => live.publishYield(event.tenant_id, lineYieldView(event)),
      },
      connections,
      log,
    ),
    new Reader(
      {
        name: 'live boards',
        topic: topics.inspectionLifecycle,
        value: serdes.InspectionEvent,
        from: { timestampMs: nowMs - BOARD_HISTORY_MS },
        onValue: (event) => {
          const view = boardView(event);
          if (view !== undefined) live.publishBoard(event.tenant_id, view);
        },
      },
      connections,
      log,
    ),
  ];
}
