import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import type { BrokerAdmin } from '../../broker/broker.ts';
import type { ResolvedTopology } from '../../topology/nodes.ts';
import { ensureTopics, type TopicLayout } from '../assignment/internal-topics.ts';
import { readsPattern } from '../assignment/task-layout.ts';
import { asError } from '../errors.ts';

/** Which topics are watched, and who is told of changes. */
export interface TopicWatchOptions {
  /** Clock, log and `metadataMaxAgeMs`. */
  readonly config: StreamsConfig;
  /** Which topics and patterns the sources read. */
  readonly resolved: ResolvedTopology;
  /** Asked what topics there are. */
  readonly admin: () => BrokerAdmin;
  /** What there was at the start. */
  readonly layout: TopicLayout;
  /** Before anything is said about the topics: what there are now. */
  readonly onLayout: (partitionCounts: ReadonlyMap<string, number>) => void;
  /** Other source topics than before: the group shall distribute them. */
  readonly onChange: () => void;
  /** The topics can't be processed together: the thread ends. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Which topics the application reads, and how wide they are.
 *
 * Owns: the present layout. Called by: StreamThread. Invariants: I1 topics are looked for only where a source reads a pattern,
 * every `metadataMaxAgeMs`, one look at a time; others are known from the start.
 */
export class TopicWatch {
  readonly #options: TopicWatchOptions;
  readonly #readsPattern: boolean;
  #layout: TopicLayout;
  #lastLookMs: number;
  #isLooking = false;

  /** The first look is due after `metadataMaxAgeMs`. */
  constructor(options: TopicWatchOptions) {
    this.#options = options;
    this.#readsPattern = readsPattern(options.resolved);
    this.#layout = options.layout;
    this.#lastLookMs = options.config.clock.monotonicMs();
  }

  /** Topics that the application reads now, those that match its patterns included. */
  get sourceTopics(): readonly string[] {
    return this.#layout.sourceTopics;
  }

  /** Asks the broker now. Rejects when the topics can't be processed together, or none answers. */
  async refresh(): Promise<void> {
    const { admin, config, onLayout, resolved } = this.#options;
    this.#layout = await ensureTopics(resolved, config, admin());
    onLayout(this.#layout.partitionCounts);
  }

  /** Topics that match a pattern since the last look, or don't exist any more, are a matter for the group. */
  lookIfDue(): void {
    const { clock, metadataMaxAgeMs } = this.#options.config;
    if (!this.#readsPattern || this.#isLooking || clock.monotonicMs() - this.#lastLookMs < metadataMaxAgeMs) return;
    this.#lastLookMs = clock.monotonicMs();
    this.#isLooking = true;
    void this.#look().finally(() => {
      this.#isLooking = false;
    });
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const before = this.#layout.sourceTopics;
    try {
      await this.refresh();
      const now = new Set(this.#layout.sourceTopics);
      const isSame = now.size === before.length && before.every((topic) => now.has(topic));
      if (!isSame) this.#options.onChange();
    } catch (error) {
      if (error instanceof StreamsError && error.recovery === 'retry') {
        this.#options.config.log.warn({ err: error }, 'Topics could not be looked for; the next look follows');
      } else this.#options.onFailure(asError(error));
    }
  }
}
