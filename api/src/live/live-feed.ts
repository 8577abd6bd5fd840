import { randomUUID } from 'node:crypto';
import type { BoardView, LineYieldView, LiveMessage, LiveSnapshot } from '@chip-quality/schemas';
import type { LiveFeed } from '../ports.ts';

/** Bounds of the feed's memory, each per tenant. */
export interface LiveFeedLimits {
  /** Messages that a client may have missed and still resume; up to twice as many are held. */
  readonly historyMessages: number;
  /** Boards that a snapshot holds. */
  readonly boards: number;
  /** Minutes of each line that a snapshot holds. */
  readonly minutesPerLine: number;
  /** Lines; beyond them the one that was silent longest is forgotten. */
  readonly lines: number;
  /** Tenants; beyond them those that nobody listens to are forgotten. */
  readonly tenants: number;
}

/** The bounds where nothing else is given, with the reason of each. */
export const DEFAULT_FEED_LIMITS: LiveFeedLimits = {
  /**
   * About a minute of a line at 1,000 boards a minute: after a longer absence a client gets a snapshot, which is
   * shorter than what it missed.
   */
  historyMessages: 2_000,
  /** What the page shows, and enough for a percentile. */
  boards: 60,
  minutesPerLine: 60,
  /** A plant has dozens of lines; a client that invents names must not fill the memory. */
  lines: 100,
  tenants: 100,
};

/** The feed and the two entries that `app/` pushes into. */
export interface PublishingLiveFeed extends LiveFeed {
  /** A new state of a line's minute; replaces the one before. */
  publishYield(tenantId: string, view: LineYieldView): void;
  /** A finished board. The same board again (a redelivery) is dropped. */
  publishBoard(tenantId: string, view: BoardView): void;
}

/** Makes the in-memory feed of one API instance. Epochs are new with every process. */
export function createLiveFeed(limits: Partial<LiveFeedLimits> = {}): PublishingLiveFeed {
  return new InMemoryLiveFeed({ ...DEFAULT_FEED_LIMITS, ...limits });
}

interface TenantFeed {
  readonly epoch: string;
  offset: number;
  readonly history: LiveMessage[];
  readonly boards: BoardView[];
  /** Line → start of minute → yield; lines and minutes in the order of their last change. */
  readonly yields: Map<string, Map<string, LineYieldView>>;
  readonly listeners: Set<(message: LiveMessage) => void>;
}

/**
 * Owns: per tenant, the offset, a bounded history, the latest boards and yields, the listeners.
 * Called by: `app/` (publish), live sessions (the rest), on one thread.
 * Invariants:
 *  I1 offsets of a tenant grow by exactly one per message within the epoch;
 *  I2 snapshot plus the messages after its offset is the whole truth: both are updated in one synchronous step;
 *  I3 memory is bounded by {@link LiveFeedLimits}; a tenant with listeners is never forgotten;
 *  I4 a forgotten tenant that comes back starts in another epoch, since its offsets start again.
 */
class InMemoryLiveFeed implements PublishingLiveFeed {
  readonly #limits: LiveFeedLimits;
  readonly #tenants = new Map<string, TenantFeed>();

  constructor(limits: LiveFeedLimits) {
    this.#limits = limits;
  }

  publishYield(tenantId: string, view: LineYieldView): void {
    const tenant = this.#tenant(tenantId);
    const minutes = tenant.yields.get(view.line_id) ?? new Map<string, LineYieldView>();
    minutes.set(view.window_start, view);
    if (minutes.size > this.#limits.minutesPerLine) minutes.delete([...minutes.keys()].sort()[0] as string);
    tenant.yields.delete(view.line_id);
    tenant.yields.set(view.line_id, minutes);
    evictOldest(tenant.yields, this.#limits.lines);
    this.#append(tenant, { type: 'yield', offset: tenant.offset + 1, data: view });
  }

  publishBoard(tenantId: string, view: BoardView): void {
    const tenant = this.#tenant(tenantId);
    const known = tenant.boards.some(
      (board) => board.inspection_id === view.inspection_id && board.completed_at === view.completed_at,
    );
    if (known) return;
    tenant.boards.push(view);
    if (tenant.boards.length > this.#limits.boards) tenant.boards.shift();
    this.#append(tenant, { type: 'board', offset: tenant.offset + 1, data: view });
  }

  snapshot(tenantId: string): LiveSnapshot {
    const tenant = this.#tenant(tenantId);
    const yields = [...tenant.yields.values()].flatMap((minutes) => [...minutes.values()]);
    return { epoch: tenant.epoch, offset: tenant.offset, yields, boards: [...tenant.boards] };
  }

  since(tenantId: string, epoch: string, offset: number): readonly LiveMessage[] | undefined {
    const tenant = this.#tenant(tenantId);
    if (epoch !== tenant.epoch || offset > tenant.offset) return undefined;
    const missed = tenant.offset - offset;
    return missed > tenant.history.length ? undefined : tenant.history.slice(tenant.history.length - missed);
  }

  subscribe(tenantId: string, listener: (message: LiveMessage) => void): () => void {
    const { listeners } = this.#tenant(tenantId);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  #append(tenant: TenantFeed, message: LiveMessage): void {
    tenant.offset = message.offset;
    tenant.history.push(message);
    // Cut in bulk: shifting one element per message would move the whole array each time.
    if (tenant.history.length > 2 * this.#limits.historyMessages) {
      tenant.history.splice(0, tenant.history.length - this.#limits.historyMessages);
    }
    for (const listener of tenant.listeners) listener(message);
  }

  #tenant(tenantId: string): TenantFeed {
    let tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) {
      tenant = { epoch: randomUUID(), offset: 0, history: [], boards: [], yields: new Map(), listeners: new Set() };
      this.#tenants.set(tenantId, tenant);
      this.#forgetTenants();
    }
    return tenant;
  }

  #forgetTenants(): void {
    if (this.#tenants.size <= this.#limits.tenants) return;
    for (const [id, tenant] of this.#tenants) {
      if (tenant.listeners.size > 0 || this.#tenants.size <= this.#limits.tenants) continue;
      this.#tenants.delete(id);
    }
  }
}

function evictOldest<K, V>(map: Map<K, V>, sizeMax: number): void {
  for (const key of map.keys()) {
    if (map.size <= sizeMax) return;
    map.delete(key);
  }
}
