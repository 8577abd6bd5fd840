/** How far a feature of Kafka Streams is there. */
export type FeatureState = 'done' | 'deviates' | 'partly' | 'not done';

/** A feature of Kafka Streams with what shows that ours is the same. */
export interface Feature {
  readonly name: string;
  readonly state: FeatureState;
  /** Topologies of the comparison that show it: beginnings of names. */
  readonly topologies?: readonly string[];
  /** Tests that show what the comparison can't, below `engine/test/`. */
  readonly tests?: readonly string[];
  /** What is different or missing, and why. */
  readonly note?: string;
}

export interface FeatureGroup {
  readonly title: string;
  readonly features: readonly Feature[];
}

const DESCRIBE_TEST = 'topology/describe.test.ts';
const DRIVER_TEST = 'testing/topology-test-driver.test.ts';

/** The features of Kafka Streams 4.3.1, in the order of its documentation. */
export const featureGroups: readonly FeatureGroup[] = [
  {
    title: 'Stateless operators and structure',
    features: [
      {
        name: 'stream, table and globalTable sources; conflicting sources are refused; null keys of tables are dropped and counted',
        state: 'done',
        topologies: ['stream-table-', 'table-table-', 'stream-globaltable-'],
        tests: ['topology/bad-programs.test.ts', 'kstream/sources-and-sinks.test.ts'],
      },
      {
        name: 'filter, filterNot, map, mapValues, flatMap, flatMapValues, selectKey, peek, foreach, print; which of them ask for a repartition',
        state: 'done',
        topologies: ['branch-merge', 'describe-default-names', 'composition'],
        tests: ['kstream/k-stream.test.ts'],
      },
      { name: 'merge', state: 'done', topologies: ['branch-merge', 'composition'] },
      {
        name: 'split and branch: first match, default, names, chained and consumed branches',
        state: 'done',
        topologies: ['branch-merge', 'composition'],
        tests: [DESCRIBE_TEST],
      },
      {
        name: 'repartition, with a number of partitions; co-partitioning',
        state: 'done',
        topologies: ['rekey-totable-join', 'composition'],
        tests: ['runtime/assignment/task-layout.test.ts'],
      },
      { name: 'to, topic name extractors', state: 'done', tests: ['kstream/sources-and-sinks.test.ts'] },
      {
        name: 'process, processValues (which refuses another key)',
        state: 'done',
        topologies: ['papi-', 'process-values'],
        tests: ['kstream/k-stream.test.ts'],
      },
      { name: 'toTable', state: 'done', topologies: ['rekey-totable-join', 'bare-totable-join', 'composition'] },
      {
        name: 'names of operators, groups, joins and stores; numbers that names use up',
        state: 'done',
        topologies: ['describe-default-names', 'composition'],
        tests: [DESCRIBE_TEST],
      },
      {
        name: 'ensure.explicit.internal.resource.naming',
        state: 'done',
        tests: ['kstream/optimization.test.ts'],
      },
      {
        name: 'topology.optimization: source topics as changelogs, merged repartition topics, self joins over one store',
        state: 'done',
        topologies: ['optimised-', 'self-', 'composition'],
        tests: ['kstream/optimization.test.ts', 'runtime/restore/source-changelog.test.ts'],
        note: 'Given to `build()`, as in Java. A configuration that asks for what `build()` did not get is an error instead of being ignored.',
      },
      {
        name: 'Topology.describe',
        state: 'done',
        topologies: ['describe-default-names', 'composition'],
        tests: [DESCRIBE_TEST],
      },
    ],
  },
  {
    title: 'Aggregations and tables',
    features: [
      {
        name: 'count, reduce, aggregate of a grouped stream',
        state: 'done',
        topologies: ['kv-', 'reduce-to-null', 'aggregate-regrouped', 'composition'],
      },
      {
        name: 'count, reduce, aggregate of a grouped table: subtract, then add; one record where the group stays',
        state: 'done',
        topologies: ['table-groupby-', 'table-regrouped-', 'count-regrouped', 'composition'],
      },
      {
        name: 'filter and mapValues of tables, kept and not; old values; transformValues',
        state: 'done',
        topologies: ['table-filter-', 'table-bare-filter', 'table-kept-chain', 'table-transform-values', 'composition'],
      },
      {
        name: 'out-of-order updates of tables: the last offset wins; versioned tables keep history',
        state: 'done',
        topologies: ['table-table-', 'versioned-'],
      },
      { name: 'cogroup, also in windows', state: 'done', topologies: ['cogroup-', 'composition'] },
      {
        name: 'record caches: one change a key until commit or eviction, in the order of Kafka Streams',
        state: 'done',
        topologies: ['cached-', 'composition'],
      },
      {
        name: 'every put is forwarded, also of an equal value (emit-on-change is not active in 4.3.1 either)',
        state: 'done',
        topologies: ['table-table-'],
      },
    ],
  },
  {
    title: 'Windows',
    features: [
      {
        name: 'tumbling and hopping windows, grace',
        state: 'done',
        topologies: ['tumbling-count', 'hopping-', 'window-', 'composition'],
      },
      {
        name: 'null values: counted in time and session windows, dropped in sliding ones and without windows',
        state: 'done',
        topologies: ['tumbling-count', 'session-aggregate', 'sliding-aggregate', 'kv-'],
        note: 'An oddity of Kafka Streams that we keep.',
      },
      {
        name: 'observed stream time of each node',
        state: 'done',
        topologies: ['tumbling-count', 'cogroup-windowed', 'composition'],
      },
      {
        name: 'sliding windows',
        state: 'done',
        topologies: ['sliding-', 'composition'],
        tests: ['kstream/windowed-aggregations.property.test.ts'],
      },
      {
        name: 'session windows',
        state: 'done',
        topologies: ['session-', 'composition'],
        tests: ['kstream/sessions.test.ts'],
      },
      {
        name: 'sessions at the late boundary start afresh; a suppressed session may be final twice',
        state: 'done',
        topologies: ['session-aggregate', 'session-suppress-final'],
        note: 'Oddities of Kafka Streams that we keep.',
      },
      {
        name: 'suppress until windows close',
        state: 'done',
        topologies: ['tumbling-suppress-', 'session-suppress-', 'sliding-suppress-', 'composition'],
      },
      {
        name: 'suppress until a time limit: limits of records and bytes, emission when full, shutdown when full',
        state: 'done',
        topologies: ['suppress-', 'composition'],
        tests: ['kstream/suppress.test.ts'],
      },
      {
        name: 'EmitStrategy.onWindowClose',
        state: 'deviates',
        topologies: ['tumbling-emit-', 'hopping-emit-', 'sliding-emit-', 'session-emit-', 'composition'],
        tests: ['kstream/emit-on-close.test.ts'],
        note: 'With the default retention Kafka Streams loses closed windows when stream time jumps; we emit them before they expire. With ample retention both are equal.',
      },
      {
        name: 'retention and expiry of window and session stores',
        state: 'done',
        topologies: ['tumbling-count', 'hopping-aggregate', 'session-aggregate', 'sliding-aggregate'],
      },
      { name: 'unlimited windows', state: 'done', topologies: ['unlimited-'] },
    ],
  },
  {
    title: 'Joins',
    features: [
      {
        name: 'stream–stream inner join',
        state: 'done',
        topologies: ['stream-stream-inner-', 'rekeyed-stream-inner-', 'composition'],
        tests: ['kstream/stream-stream-join.property.test.ts', 'kstream/stream-stream-join.restore.test.ts'],
      },
      {
        name: 'stream–stream left and outer joins: when, and in which order, records without a partner are emitted',
        state: 'done',
        topologies: ['stream-stream-left-', 'stream-stream-outer-', 'throttled-', 'composition'],
      },
      { name: 'self join, plain and over one store', state: 'done', topologies: ['self-'] },
      { name: 'stream–table join', state: 'done', topologies: ['stream-table-', 'derived-table-join', 'composition'] },
      {
        name: 'stream–table join with grace over a versioned table',
        state: 'deviates',
        topologies: ['stream-versioned-table-'],
        tests: ['kstream/grace-join.property.test.ts', 'runtime/restore/grace-join-restore.test.ts'],
        note: 'A null key of the stream ends Kafka Streams with a NullPointerException; we treat it as the join without grace does.',
      },
      {
        name: 'stream–global-table join',
        state: 'done',
        topologies: ['stream-globaltable-', 'global-inner-join', 'composition'],
      },
      {
        name: 'table–table inner, left and outer join',
        state: 'done',
        topologies: ['table-table-', 'versioned-table-table-', 'composition'],
        tests: ['kstream/table-join.property.test.ts'],
      },
      {
        name: 'foreign-key inner and left join',
        state: 'done',
        topologies: ['fk-', 'versioned-fk-', 'composition'],
        tests: ['kstream/foreign-key-join.property.test.ts', 'kstream/foreign-key-join.test.ts'],
      },
    ],
  },
  {
    title: 'Processor API and state',
    features: [
      {
        name: 'forward to all children or to a named one; shared headers',
        state: 'done',
        topologies: ['papi-'],
        tests: ['kstream/k-stream.test.ts'],
      },
      {
        name: 'punctuators by stream time and by wall clock',
        state: 'done',
        topologies: ['papi-punctuate'],
        tests: ['runtime/task/punctuation-queue.test.ts'],
      },
      {
        name: 'key-value, timestamped, versioned, window (with duplicates), session and LRU stores, in memory and persistent; order of iteration',
        state: 'partly',
        topologies: ['papi-', 'versioned-'],
        tests: ['state/memory-stores.test.ts', 'state/lmdb-stores.test.ts', 'state/versioned-stores.test.ts'],
        note: 'Stores with headers (KIP-1271, new in 4.3) are not done. Persistent stores are LMDB files, not RocksDB: local state is not shared with a Java application, changelogs are.',
      },
      {
        name: 'logging and caching switches, configuration of changelogs',
        state: 'done',
        topologies: ['unlogged-', 'configured-', 'cached-'],
      },
      {
        name: 'stores connected by suppliers; processor wrappers',
        state: 'done',
        topologies: ['papi-'],
        tests: ['kstream/sources-and-sinks.test.ts'],
      },
      {
        name: 'global stores with restore by reprocessing; read-only stores',
        state: 'done',
        tests: ['topology/topology.test.ts', 'topology/bad-programs.test.ts'],
      },
    ],
  },
  {
    title: 'Runtime',
    features: [
      { name: 'tasks by sub-topology and partition', state: 'done', tests: ['runtime/assignment/task-layout.test.ts'] },
      {
        name: 'partition group: the oldest head goes next; max.task.idle.ms',
        state: 'done',
        topologies: ['composition'],
        tests: ['runtime/task/partition-group.test.ts'],
      },
      { name: 'pausing of full partitions', state: 'done', tests: ['runtime/task/record-queue.test.ts'] },
      { name: 'timestamp extractors', state: 'done', tests: ['kstream/sources-and-sinks.test.ts'] },
      {
        name: 'commits: offsets of the buffer’s head, metadata with partition time',
        state: 'done',
        tests: ['runtime/task/commit-metadata.test.ts'],
      },
      {
        name: 'exactly once (EOS v2)',
        state: 'not done',
        note: 'The configuration refuses `exactly_once_v2`. A sink that stores offsets itself (`toExternal`) is exact.',
      },
      {
        name: 'restore from changelogs, from source topics where they serve as such',
        state: 'done',
        tests: ['runtime/restore/durability.test.ts', 'runtime/restore/source-changelog.test.ts'],
        note: 'Offsets are kept in the store’s own file instead of `.checkpoint`.',
      },
      {
        name: 'takeover of a stopped Java application by its id, and the reverse',
        state: 'done',
        tests: ['takeover.slow.test.ts'],
      },
      { name: 'standby replicas, warm-ups, probing rebalances', state: 'not done' },
      {
        name: 'assignment: high availability, rack awareness, custom assignors',
        state: 'not done',
        note: 'A sticky assignor of our own; a mixed group with Java members is not possible.',
      },
      { name: 'group.protocol=streams (KIP-1071)', state: 'not done' },
      {
        name: 'internal topics: created, validated, repartition topics widened',
        state: 'done',
        tests: ['runtime/assignment/topic-layout.test.ts'],
      },
      {
        name: 'error handlers for deserialization, processing and production; dead letter queue',
        state: 'partly',
        tests: ['runtime/thread/supervision.test.ts'],
        note: 'No RETRY of the production handler, no handler of its own for global stores.',
      },
      { name: 'states of an instance', state: 'done', tests: ['runtime/lifecycles.test.ts'] },
      {
        name: 'several stream threads, pause and resume',
        state: 'not done',
        note: 'One thread an instance; start more instances.',
      },
      {
        name: 'interactive queries',
        state: 'partly',
        tests: ['query/interactive-queries.test.ts', 'query/store-views.test.ts', 'query/paging.property.test.ts'],
        note: 'Local stores, asynchronously, and the owner of a key; no query types of IQ v2, no positions, no standbys.',
      },
      {
        name: 'metrics',
        state: 'partly',
        note: 'Names of Kafka Streams for records, drops, commits, restores, suppression and lateness; not its whole tree with levels.',
      },
      { name: 'TopologyTestDriver', state: 'done', topologies: ['composition'], tests: [DRIVER_TEST] },
      { name: 'application reset tool', state: 'not done' },
      {
        name: 'pattern subscription, offset reset by source and by duration',
        state: 'done',
        tests: ['kstream/sources-and-sinks.test.ts'],
      },
      { name: 'purging of repartition topics', state: 'done', tests: ['runtime/restore/durability.test.ts'] },
      {
        name: 'removal of local state of tasks that moved away (`state.cleanup.delay.ms`), `cleanUp()`',
        state: 'done',
        tests: ['runtime/directory/state-directory.test.ts', 'runtime/directory/local-state.test.ts'],
      },
      {
        name: 'batches that a topic finds too large are split',
        state: 'done',
        tests: ['broker/wire-faults.integration.test.ts'],
      },
    ],
  },
];
