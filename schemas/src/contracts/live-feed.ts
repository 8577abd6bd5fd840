import type { DefectView } from '../views.ts';

/** Yield of a line in one minute, as the live page shows it. */
export interface LineYieldView {
  /** Line; `unassigned` for inspections that name none. */
  readonly line_id: string;
  /** ISO 8601, start of the minute. */
  readonly window_start: string;
  /** Boards that got a verdict. */
  readonly inspected: number;
  /** Boards without defects. */
  readonly passed: number;
  /** Boards with defects. */
  readonly failed: number;
  /** Boards whose inference failed: no verdict, not in `inspected`. */
  readonly errored: number;
  /** passed / inspected of first attempts; null where no board got a verdict. */
  readonly first_pass_yield: number | null;
  /** Number of defects by type. */
  readonly defects: Readonly<Record<string, number>>;
}

/** A finished board, as the live page shows it. */
export interface BoardView {
  /** UUID of the inspection. */
  readonly inspection_id: string;
  /** Line that it counts for; null where the inspection names none. */
  readonly line_id: string | null;
  /** Serial of the board. */
  readonly chip_id: string;
  /** `completed`: there is a verdict; `failed`: the inference failed, so there is none. */
  readonly status: 'completed' | 'failed';
  /** `pass` without defects, `fail` with some; null where the inference failed. */
  readonly verdict: 'pass' | 'fail' | null;
  /** What was found. */
  readonly defects: readonly DefectView[];
  /** Why the inference failed; null otherwise. */
  readonly failure_reason: string | null;
  /** The image that was judged; null where there is none. */
  readonly artifact_id: string | null;
  /** ISO 8601. */
  readonly completed_at: string;
  /** From creation, or from the request of a later attempt, to completion, ms. */
  readonly latency_ms: number;
}

/** A line's minute has changed. */
export interface YieldMessage {
  /** Tells it from the other messages. */
  readonly type: 'yield';
  /** Grows by one with each message of an epoch. */
  readonly offset: number;
  /** The minute's new state; replaces the one before. */
  readonly data: LineYieldView;
}

/** A board is finished. */
export interface BoardMessage {
  /** Tells it from the other messages. */
  readonly type: 'board';
  /** Grows by one with each message of an epoch. */
  readonly offset: number;
  /** With its verdict, or with the reason why there is none. */
  readonly data: BoardView;
}

/** One message of the live feed. */
export type LiveMessage = YieldMessage | BoardMessage;

/** What a client that comes without an offset, or too late, gets first. */
export interface LiveSnapshot {
  /** Changes when the feed restarts: offsets of another epoch can't be resumed. */
  readonly epoch: string;
  /** Offset of the last message that the snapshot includes. */
  readonly offset: number;
  /** The newest state of each minute that is kept. */
  readonly yields: readonly LineYieldView[];
  /** The last boards, oldest first. */
  readonly boards: readonly BoardView[];
}

/** What every frame that has a place in the feed says. */
interface PlacedFrame {
  /** Changes when the feed restarts. */
  readonly epoch: string;
  /** Offset of the last message that the client has with this frame. */
  readonly offset: number;
}

/** Forget what you know: this is the state at `offset`. */
export interface SnapshotFrame extends LiveSnapshot {
  /** Tells it from the other frames. */
  readonly type: 'snapshot';
  /** The server's time, ISO 8601: ages on a page must not depend on the clock of a tablet. Absent: as before. */
  readonly at?: string;
}

/** The messages after your offset follow. */
export interface ResumedFrame extends PlacedFrame {
  /** Tells it from the other frames. */
  readonly type: 'resumed';
  /** The server's time, ISO 8601. */
  readonly at: string;
}

/** Your place is gone; a snapshot follows. */
export interface ResyncFrame {
  /** Tells it from the other frames. */
  readonly type: 'resync';
  /** Why, for people. */
  readonly reason: string;
}

/** Nothing is missing if your offset is the same. */
export interface HeartbeatFrame extends PlacedFrame {
  /** Tells it from the other frames. */
  readonly type: 'heartbeat';
  /** The server's time, ISO 8601. */
  readonly at: string;
}

/** A frame of the live socket, one JSON document each. The API sends them, the live page reads them; clients send nothing. */
export type LiveFrame =
  | SnapshotFrame
  | ResumedFrame
  | ResyncFrame
  | HeartbeatFrame
  | (YieldMessage & Pick<PlacedFrame, 'epoch'>)
  | (BoardMessage & Pick<PlacedFrame, 'epoch'>);
