import type { ConsumerOptions } from '../../broker.ts';
import type { Transport, WireResponse } from '../connection/transport.ts';
import type { ClusterMetadata } from '../metadata/cluster-metadata.ts';
import { encodeFetchRequest, FETCH_API_KEY, FETCH_VERSIONS, type FetchRequestPartition } from './fetch-protocol.ts';
import type { FetchedPartitionState } from './fetched-partition-state.ts';

const FETCH_WAIT_MS = 500;
const FETCH_BYTES_MAX = 8 * 1024 * 1024;
/** Kafka's `max.partition.fetch.bytes`. */
const PARTITION_FETCH_BYTES_MAX = 1024 * 1024;
/** Room for a slow broker beyond the time it may hold a fetch back. */
const FETCH_TIMEOUT_MARGIN_MS = 30_000;

/** A partition in a fetch, as of its last seek. */
export interface AskedPartition {
  /** The partition. */
  readonly state: FetchedPartitionState;
  /** Its epoch when it was asked: an answer of another one is dropped. */
  readonly epoch: number;
}

/** Asks a broker for these partitions, in this order. One that was sought meanwhile, or that nobody knows, is left out. */
export async function sendFetch(
  transport: Transport,
  asked: readonly AskedPartition[],
  options: ConsumerOptions,
  metadata: ClusterMetadata,
): Promise<WireResponse> {
  const waitMs = options.fetchWaitMs ?? FETCH_WAIT_MS;
  const topics = new Map<string, FetchRequestPartition[]>();
  for (const { state, epoch } of asked) {
    const topicId = metadata.topic(state.topic)?.topicId;
    const leaderEpoch = metadata.partition(state.topic, state.partition)?.leaderEpoch;
    if (topicId === undefined || leaderEpoch === undefined || state.epoch !== epoch) continue;
    const partition = { partition: state.partition, leaderEpoch, fetchOffset: state.fetchOffset };
    const partitions = topics.get(topicId);
    if (partitions === undefined) topics.set(topicId, [partition]);
    else partitions.push(partition);
  }
  const version = transport.version(FETCH_API_KEY, FETCH_VERSIONS);
  const body = encodeFetchRequest({
    version,
    waitMs: topics.size === 0 ? 0 : waitMs,
    bytesMax: options.fetchBytesMax ?? FETCH_BYTES_MAX,
    partitionBytesMax: options.partitionFetchBytesMax ?? PARTITION_FETCH_BYTES_MAX,
    readCommitted: options.isolationLevel === 'read_committed',
    topics,
  });
  return transport.send({
    apiKey: FETCH_API_KEY,
    apiVersion: version,
    body: [body],
    timeoutMs: waitMs + FETCH_TIMEOUT_MARGIN_MS,
    flexibleRequest: true,
    flexibleResponse: true,
  });
}
