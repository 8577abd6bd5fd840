import { yieldTurn } from '../../base/clock.ts';
import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import type { TopicPartition } from '../../base/record-batch.ts';
import type {
  Broker,
  BrokerAdmin,
  BrokerConsumer,
  BrokerGroupConsumer,
  BrokerProducer,
  FetchedPartition,
  GroupConsumerOptions,
  RebalanceListener,
} from '../../broker/broker.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { ResolvedTopology } from '../../topology/nodes.ts';
import type { TopicLayout } from '../assignment/internal-topics.ts';
import { StickyAssignor } from '../assignment/sticky-assignor.ts';
import type { CommitProtocol, CreateCommitProtocol } from '../commit/commit-protocol.ts';
import { Committer } from '../commit/committer.ts';
import type { StateDirectory } from '../directory/state-directory.ts';
import { asError, isOutOfRange } from '../errors.ts';
import type { GlobalState } from '../global/global-state.ts';
import { BatchingCollector } from '../output/batching-collector.ts';
import { ChangelogReader, type RestoreProgress } from '../restore/changelog-reader.ts';
import type { StreamTask } from '../task/stream-task.ts';
import { SerdePreparation } from './serde-preparation.ts';
import { TaskManager } from './task-manager.ts';
import { TaskSupervisor } from './task-supervisor.ts';
import { TopicWatch } from './topic-watch.ts';

/** Longest synchronous stretch of record processing: heartbeats, HTTP and punctuators of the process run in between. */
const TURN_MS = 5;

/** What a thread runs, and who is told how it fares. */
export interface StreamThreadOptions {
  /** Beginning of the names of its member and its producer; names it in logs. */
  readonly threadId: string;
  /** The application's, with every default filled in. */
  readonly config: StreamsConfig;
  /** The topology, with complete names. */
  readonly resolved: ResolvedTopology;
  /** The topics as they were at the start. */
  readonly layout: TopicLayout;
  /** Makes its member, producer and admin; not closed by the thread. */
  readonly broker: Broker;
  /** The global state, which it keeps up to date while it runs. */
  readonly global: GlobalState;
  /** By name; its tasks may read them. */
  readonly globalStores: ReadonlyMap<string, StateStore>;
  /** Where its tasks' stores lie on disk. */
  readonly stateDirectory: StateDirectory;
  /** Makes the protocol by which it commits. */
  readonly createCommitProtocol: CreateCommitProtocol;
  /** True when every assigned task runs, false while some are being restored or moved. */
  readonly onReadiness: (ready: boolean) => void;
  /** An error that no recovery of a task heals. The thread has stopped; its tasks are closed. */
  readonly onFailure: (error: Error) => void;
}

/**
 * One processing loop with its own group member, producer and tasks. Nothing in it is shared with other threads but the global
 * stores, so that it can move into a worker.
 *
 * A turn: answer queries, take what was fetched, hand it to tasks, process for a few milliseconds, punctuate, send,
 * commit if due, yield.
 *
 * Owns: consumer, producer, collector, tasks. Called by: KafkaStreams.
 * Invariants: I1 one turn at a time, synchronous; I2 everything asynchronous (rebalance, commit, restore) happens between turns;
 * I3 after `stop` resolved nothing of the thread runs.
 */
export class StreamThread implements RebalanceListener {
  readonly #options: StreamThreadOptions;
  readonly #config: StreamsConfig;
  readonly #member: BrokerGroupConsumer;
  readonly #consumer: BrokerConsumer;
  readonly #producer: BrokerProducer;
  readonly #collector: BatchingCollector;
  readonly #protocol: CommitProtocol;
  readonly #committer: Committer;
  readonly #changelogs: ChangelogReader;
  readonly #manager: TaskManager;
  readonly #preparation: SerdePreparation;
  readonly #supervisor: TaskSupervisor;
  readonly #topics: TopicWatch;
  readonly #paused = new Set<string>();
  #rotation = 0;
  #isStopping = false;
  #stopsCleanly = true;
  #failure: Error | undefined;
  #globalUpdate: Promise<void> | undefined;
  #loop: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  /** Joins no group yet: `start` does. */
  constructor(options: StreamThreadOptions) {
    const { broker, config, layout, resolved, threadId } = options;
    this.#options = options;
    this.#config = config;
    this.#topics = new TopicWatch({
      config,
      resolved,
      admin: () => broker.admin(),
      layout,
      onLayout: (partitionCounts) => this.#manager.layOut(partitionCounts),
      onChange: () => {
        if (!this.#isStopping) this.#member.group.rejoin();
      },
      onFailure: (error) => this.#fail(error),
    });
    this.#supervisor = new TaskSupervisor({
      config,
      isStopping: () => this.#isStopping,
      recreate: (task, wipe) => this.#manager.recreate(task, wipe),
      onFailure: (error) => this.#fail(error),
    });
    const assignor = new StickyAssignor(resolved, () => this.#topics.sourceTopics);
    this.#member = broker.groupConsumer({ ...memberOptions(threadId, config), assignor, listener: this });
    this.#consumer = this.#member.records;
    this.#producer = broker.producer({ clientId: `${threadId}-producer` });
    this.#collector = new BatchingCollector({
      producer: this.#producer,
      config,
      partitionCounts: layout.partitionCounts,
      lookUpPartitionCount: (topic) => partitionCountOf(topic, broker.admin()),
      wake: this.#wake,
    });
    this.#protocol = options.createCommitProtocol({ group: this.#member.group, collector: this.#collector });
    this.#committer = new Committer({
      protocol: this.#protocol,
      config,
      admin: broker.admin(),
      repartitionTopics: new Set(resolved.subTopologies.flatMap((subTopology) => subTopology.repartitionSourceTopics)),
      tasks: () => this.#manager.tasks,
      onCommitted: (tasks) => {
        this.#supervisor.succeeded(tasks);
        this.#wake();
      },
      onFailed: (tasks, error) => this.#commitFailed(tasks, error),
    });
    this.#changelogs = new ChangelogReader({ broker, config, clientId: `${threadId}-restore-consumer` });
    this.#preparation = new SerdePreparation({
      clock: config.clock,
      random: config.random,
      log: config.log,
      wake: this.#wake,
      onFetchError: (task, fetched) => void this.#reset(task, fetched),
      onTaskError: (task, error) => this.#supervisor.failed(task, error),
    });
    this.#manager = new TaskManager({
      config,
      resolved,
      partitionCounts: layout.partitionCounts,
      refreshLayout: () => this.#topics.refresh(),
      stateDirectory: options.stateDirectory,
      broker,
      consumer: this.#consumer,
      collector: this.#collector,
      committer: this.#committer,
      changelogs: this.#changelogs,
      globalStores: options.globalStores,
      isWaiting: (source) => this.#preparation.isWaiting(source),
      wake: this.#wake,
      onError: (error, task) => this.#supervisor.failed(task, error),
      onReadiness: () => {
        if (!this.#isStopping) options.onReadiness(this.#manager.areAllRunning);
      },
    });
  }

  readonly #wake = (): void => this.#consumer.wakeup();

  /** The tasks that it has, restoring and closing ones included. */
  get tasks(): readonly StreamTask[] {
    return this.#manager.tasks;
  }

  /** The changelogs that are being restored into stores. */
  get restoring(): readonly RestoreProgress[] {
    return this.#changelogs.progress();
  }

  /** Records per partition that the broker has and this thread has not processed; partitions without an answer yet are left out. */
  lag(): ReadonlyMap<string, number> {
    const lags = new Map<string, number>();
    for (const task of this.#manager.tasks) {
      for (const source of task.sources) {
        const end = this.#consumer.knownEndOffset(source);
        if (end !== undefined && source.queue.nextOffset >= 0) {
          lags.set(source.key, Math.max(0, end - source.queue.nextOffset));
        }
      }
    }
    return lags;
  }

  /** Joins the group and starts the loop; resolves with the first assignment (tasks may still be restoring). */
  async start(): Promise<void> {
    this.#loop = this.#run();
    await this.#member.group.join();
  }

  /** Clean: drains, commits, leaves the group. Dirty: commits nothing. Idempotent. */
  stop(clean: boolean): Promise<void> {
    this.#stopped ??= this.#stop(clean);
    return this.#stopped;
  }

  async #stop(clean: boolean): Promise<void> {
    this.#stopsCleanly = clean;
    this.#isStopping = true;
    this.#wake();
    await this.#loop;
    // Before leaving: a member that is leaving in the middle of a rebalance could not commit any more.
    if (clean) await this.#manager.revokedAll();
    else await this.#manager.closeAllDirty();
    await this.#member.close();
    await this.#manager.closeAllDirty();
    await this.#changelogs.close();
    if (clean && this.#failure === undefined) {
      await this.#collector.flush().catch((error: unknown) => {
        this.#config.log.error({ err: error }, 'Records were lost while closing');
      });
    } else this.#collector.discard();
    await this.#producer.close();
  }

  // RebalanceListener

  async onPartitionsAssigned(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#manager.assigned(partitions);
  }

  async onPartitionsRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#stopsCleanly) await this.#manager.revoked(partitions);
    else await this.#manager.lost(partitions);
    this.#forgetPaused(partitions);
  }

  async onPartitionsLost(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#manager.lost(partitions);
    this.#forgetPaused(partitions);
  }

  /** After their tasks were closed: while they drain, they may still be paused. */
  #forgetPaused(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#paused.delete(`${topic}-${partition}`);
  }

  onError(error: Error): void {
    this.#fail(error);
  }

  async #run(): Promise<void> {
    const { clock } = this.#config;
    while (!this.#isStopping && this.#failure === undefined) {
      let busy = false;
      try {
        if (this.#manager.tasks.some(({ queries }) => queries.hasMail)) await this.#answerQueries();
        busy = this.#turn();
        const idleMs = busy ? 0 : this.#idleMs();
        // A poll that may not wait resolves in a microtask: without a turn of the event loop no I/O would ever happen.
        if (idleMs <= 0) await yieldTurn(clock);
        else this.#receive(await this.#consumer.poll(idleMs));
      } catch (error) {
        this.#fail(asError(error));
      }
    }
    // Nobody answers any more.
    for (const task of this.#manager.tasks) task.queries.close();
    await this.#globalUpdate;
  }

  /**
   * Queries go before records. Those that follow one another (the pages of a range, look-ups of what a page named) are
   * answered in one go, for as long as a turn of records takes at most: otherwise each would wait for such a turn.
   */
  async #answerQueries(): Promise<void> {
    const { clock } = this.#config;
    const deadlineMs = clock.monotonicMs() + TURN_MS;
    while (this.#answerUntil(deadlineMs)) {
      // Whoever asked goes on before the next look.
      await yieldTurn(clock);
      if (clock.monotonicMs() >= deadlineMs) return;
    }
  }

  /** Answers what waits, one query at least; true when there was any. Who is not reached is first another time. */
  #answerUntil(deadlineMs: number): boolean {
    const { clock } = this.#config;
    let answered = false;
    for (const { queries } of this.#inRotation()) {
      if (queries.answer(deadlineMs)) answered = true;
      if (answered && clock.monotonicMs() >= deadlineMs) break;
    }
    return answered;
  }

  /** The tasks, each turn another one first. */
  #inRotation(): readonly StreamTask[] {
    const { tasks } = this.#manager;
    const first = this.#rotation % Math.max(1, tasks.length);
    return [...tasks.slice(first), ...tasks.slice(0, first)];
  }

  /** One synchronous turn; true when more may be waiting already. */
  #turn(): boolean {
    const { clock } = this.#config;
    const nowMs = clock.nowMs();
    this.#protocol.check();
    const fetched = this.#consumer.take();
    this.#receive(fetched);
    this.#updateGlobals();
    this.#topics.lookIfDue();
    this.#options.stateDirectory.cleanIfDue();
    let worked = fetched.length > 0;
    this.#rotation += 1;
    const tasks = this.#inRotation();
    const deadlineMs = clock.monotonicMs() + TURN_MS;
    for (let i = 0; i < tasks.length; i += 1) {
      const task = tasks[i] as StreamTask;
      if (!task.mayWork) continue;
      try {
        const mail = task.runMailbox();
        let taken = 0;
        if (!this.#collector.isSaturated) {
          const share = (deadlineMs - clock.monotonicMs()) / (tasks.length - i);
          taken = task.process(nowMs, clock.monotonicMs() + Math.max(share, 0));
        }
        const fired = task.punctuateWallClock(nowMs);
        if (taken > 0) this.#config.metrics.count('process-total', { 'task-id': task.taskId }, taken);
        if (taken > 0 || fired > 0 || mail) worked = true;
      } catch (error) {
        // Even while stopping: the record that failed has left its queue, and a last commit would pass it.
        task.fail();
        this.#supervisor.failed(task, error);
      }
    }
    this.#regulate(tasks);
    this.#collector.sendIfDue();
    if (this.#failure === undefined) this.#committer.commitIfDue();
    return worked;
  }

  #receive(fetched: readonly FetchedPartition[]): void {
    for (const each of fetched) {
      const entry = this.#manager.sourceOf(each.topic, each.partition);
      if (entry === undefined || !entry.task.isStarted) {
        for (const batch of each.batches) batch.release();
        continue;
      }
      this.#preparation.deliver(entry.task, entry.source, each);
    }
  }

  /** The position lies outside the log: goes on where the reset policy says. Never rejects. */
  async #reset(task: StreamTask, { topic, partition, error }: FetchedPartition): Promise<void> {
    const { log } = this.#config;
    try {
      const entry = this.#manager.sourceOf(topic, partition);
      if (entry === undefined) return;
      if (!isOutOfRange(error)) throw error;
      const offset = await this.#manager.resetOffset(task, entry.source);
      if (task.state === 'CLOSED') return;
      log.warn({ topic, partition, offset, err: error }, 'The position was outside the log; the reset policy decided');
      task.movePosition(entry.source, offset);
      this.#consumer.seek({ topic, partition }, offset);
    } catch (failure) {
      this.#supervisor.failed(task, failure);
    }
  }

  #updateGlobals(): void {
    if (this.#globalUpdate !== undefined) return;
    this.#globalUpdate = this.#options.global
      .update()
      ?.catch((error: unknown) => this.#fail(asError(error)))
      .finally(() => {
        this.#globalUpdate = undefined;
      });
  }

  /** Pauses partitions whose queues are full, resumes them when they are not. */
  #regulate(tasks: readonly StreamTask[]): void {
    const limit = this.#config.bufferedRecordsPerPartition;
    for (const task of tasks) {
      if (!task.isStarted) continue;
      for (const source of task.sources) {
        const full = source.queue.size > limit || this.#preparation.isWaiting(source);
        const paused = this.#paused.has(source.key);
        if (full && !paused) {
          this.#paused.add(source.key);
          this.#consumer.pause([source]);
        } else if (!full && paused) {
          this.#paused.delete(source.key);
          this.#consumer.resume([source]);
        }
      }
    }
  }

  #commitFailed(tasks: readonly StreamTask[], error: unknown): void {
    try {
      this.#protocol.check();
    } catch (lost) {
      this.#fail(asError(lost));
      return;
    }
    for (const task of tasks) this.#supervisor.failed(task, error);
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#wake();
    this.#config.log.error({ err: error, threadId: this.#options.threadId }, 'The stream thread stops');
    void this.stop(false)
      .catch((failure: unknown) => {
        this.#config.log.error({ err: failure }, 'The stream thread did not stop cleanly');
      })
      .then(() => this.#options.onFailure(error));
  }

  /** How long the loop may sleep when nothing arrives. */
  #idleMs(): number {
    const { clock, lingerMs, pollMs } = this.#config;
    const nowMs = clock.nowMs();
    let idleMs = Math.min(pollMs, this.#committer.nextDueMs - clock.monotonicMs());
    for (const task of this.#manager.tasks) {
      if (task.queries.hasMail) return 0;
      // The end of its commit wakes the loop for a task that stands still.
      if (!task.mayWork) continue;
      idleMs = Math.min(idleMs, task.nextWakeMs(nowMs) - nowMs);
      if (task.asyncRecords.hasMail) return 0;
    }
    if (this.#collector.hasUnsent) idleMs = Math.min(idleMs, lingerMs);
    return Math.max(0, idleMs);
  }
}

/** How a thread's consumer fetches, and stays a member of the application's group. */
function memberOptions(threadId: string, config: StreamsConfig): Omit<GroupConsumerOptions, 'assignor' | 'listener'> {
  return {
    clientId: `${threadId}-consumer`,
    groupId: config.applicationId,
    ...(config.groupInstanceId === undefined ? {} : { groupInstanceId: config.groupInstanceId }),
    sessionTimeoutMs: config.sessionTimeoutMs,
    rebalanceTimeoutMs: config.rebalanceTimeoutMs,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
    fetchBytesMax: config.fetchBytesMax,
    partitionFetchBytesMax: config.partitionFetchBytesMax,
  };
}

/** Of a topic that a record chose. Rejects when there is none. */
async function partitionCountOf(topic: string, admin: BrokerAdmin): Promise<number> {
  const count = (await admin.partitionCounts([topic])).get(topic);
  if (count !== undefined) return count;
  throw new StreamsError(`Topic '${topic}', chosen by a record, does not exist; create it first`, {
    code: 'PRODUCTION',
    recovery: 'fail',
  });
}
