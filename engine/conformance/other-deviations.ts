/** Differences that no comparison shows as such; `deviations.ts` has those that it does. */
export const otherDeviations: readonly { readonly title: string; readonly reason: string }[] = [
  {
    title: 'A null key of a stream in a join with grace',
    reason:
      'Kafka Streams 4.3.1 ends with a NullPointerException. We treat the record as the join without grace does: an inner join drops and counts it, a left join joins it with nothing.',
  },
  {
    title: 'Undecodable bytes that nobody looks at',
    reason:
      'Kafka Streams decodes key and value of every record. Here a record is decoded when a node asks; a stream that only passes bytes on copies them. Wherever something looks at the value, the deserialization handler decides and the drop is counted, as in Java.',
  },
  {
    title: 'Unknown serdes',
    reason:
      'Kafka Streams falls back on the serdes of its configuration and fails at run time where they don’t fit. We have no such default: a missing serde is a `TopologyError` that says where to give it. Joined streams whose keys have different formats are refused while building, too.',
  },
  {
    title: 'Windows that Kafka Streams accepts and then fails on',
    reason:
      '`SlidingWindows` with a difference of 0 and session stores kept for less than gap + grace are a `TopologyError`; Java throws at the first record or silently forgets.',
  },
  {
    title: 'The end of unlimited windows',
    reason: '`Number.MAX_SAFE_INTEGER` where Java has `Long.MAX_VALUE`; the bytes of keys hold only the start.',
  },
  {
    title: 'A global table with a `Materialized` that has no name',
    reason:
      'Kafka Streams refuses it with an error about suppliers (it forgets the store); we build it like one without options.',
  },
  {
    title: 'Global stores say `loggingEnabled: false`',
    reason:
      'Java switches the changelog of a global store off by itself; we refuse one that is on, since its topic is its changelog.',
  },
  {
    title: 'A store that no processor uses',
    reason: 'Java adds it to no task and says nothing; here it is a `TopologyError`.',
  },
  {
    title: 'Optimisation that `build()` was not given',
    reason:
      'Kafka Streams ignores `topology.optimization` in the configuration of the instance when `build()` did not get it. We say so, as an error.',
  },
  {
    title: 'Repartition topics stay above processors of the user',
    reason:
      'The optimiser of Kafka Streams moves them across `process` and `processValues`, where keys may change, and results may be wrong. Names differ in such programs only. Where several repartitions hang below one operation Java throws; we make one topic.',
  },
  {
    title: 'Co-partitioning of cogrouped streams',
    reason: 'counts the repartition topics that the cogroup reads; Java takes the topics above them.',
  },
  {
    title: 'Null keys before a repartition topic',
    reason: 'are counted in `dropped-records`; Java drops them silently.',
  },
  {
    title: 'Patterns of topics',
    reason: 'are JavaScript’s regular expressions and match anywhere unless anchored; Java’s match whole names.',
  },
  {
    title: 'The foreign-key extractor with two arguments',
    reason:
      'is `(value, key)`, in the order of `mapValues`. `otherPartitioner` is not asked for null keys. Old brokers’ message version 0 is read, not written (`upgrade.from`).',
  },
  {
    title: '`transformValues` without a kept result',
    reason: 'connects its stores also to whoever looks up values through it; Java fails there.',
  },
  {
    title: 'Versioned stores',
    reason:
      'exist in memory, too. `fetch` over a span answers every version in it (Java leaves out versions that ended in a later segment); restoring applies record by record, not batch by batch; a persistent store remembers its stream time over a restart; answers also tell until when a version was valid.',
  },
  {
    title: 'Joins with grace after a restart',
    reason: 'The buffer’s stream time and numbering go on; Java starts both anew.',
  },
  {
    title: 'Warnings of updates out of order',
    reason: 'come where the table is read anyway, for the first record and then every thousandth.',
  },
  {
    title: 'Suppressed changes made by a punctuator',
    reason:
      'have no source topic: Java ends with a NullPointerException at the commit, we write an empty name. Headers are copied when they are buffered; the buffer’s metrics are gauges set at each commit.',
  },
  {
    title: 'Emission on window close keeps closed windows a little longer',
    reason:
      'Stores of sliding windows are kept 2 ms longer and those of sessions gap + 1 minute, so that nothing expires unseen; changelogs are kept as long as Java’s.',
  },
  {
    title: 'The LRU store',
    reason: 'can be iterated; Java’s throws.',
  },
  {
    title: 'Persistent stores',
    reason:
      'are LMDB files with the changelog offset in the same transaction, instead of RocksDB with a `.checkpoint` file. What a Java application and ours share is the changelog.',
  },
  {
    title: 'Local state is leased, not locked',
    reason:
      'A task waits, trying again, while a living instance of the same host has its folder, as with Java’s lock, for two renewals of the lease at most if that one hangs (`docs/decisions.md`, D-029). Several processes may share a state directory, which Java refuses.',
  },
  {
    title: 'Age of metadata',
    reason:
      '`metadataMaxAgeMs` says only how often topics of a pattern are looked for. Producers and consumers ask for leaders when an answer shows that theirs are out of date; that a topic got more partitions is seen at the next rebalance.',
  },
  {
    title: 'Expired puts into persistent window and session stores',
    reason:
      'are dropped and counted when they are older than the retention, as in stores in memory. Java’s RocksDB stores drop whole segments: they keep and don’t count what falls into one that is still there, and don’t show it either.',
  },
];
