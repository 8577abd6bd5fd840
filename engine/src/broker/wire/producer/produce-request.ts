import type { Transport, WireResponse } from '../connection/transport.ts';
import {
  encodeProduceRequest,
  PRODUCE_API_KEY,
  PRODUCE_VERSIONS,
  type ProduceRequestPartition,
} from './produce-protocol.ts';

/** Sends finished batches to the leader of their partitions; rejects when no answer came, which says nothing of the batches. */
export async function sendProduce(
  transport: Transport,
  topics: ReadonlyMap<string, readonly ProduceRequestPartition[]>,
  timeoutMs: number,
): Promise<WireResponse> {
  const apiVersion = transport.version(PRODUCE_API_KEY, PRODUCE_VERSIONS);
  const body = encodeProduceRequest(topics, timeoutMs);
  // The broker answers within the timeout; the margin is the network's.
  const marginMs = timeoutMs / 2;
  return transport.send({
    apiKey: PRODUCE_API_KEY,
    apiVersion,
    body,
    timeoutMs: timeoutMs + marginMs,
    flexibleRequest: true,
    flexibleResponse: true,
  });
}
