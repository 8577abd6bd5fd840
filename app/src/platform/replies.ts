import { topics } from '@chip-quality/schemas';
import { KafkaCommandGateway } from '@chip-quality/sinks';
import type { Log } from 'millrace';
import type { PlatformConfig } from '../config.ts';
import type { Component } from './component.ts';
import type { Connections } from './connections.ts';
import { Reader } from './reader.ts';

/**
 * The command gateway with the reader of its answers. The reader comes first, so that no answer can be missed; while it doesn't
 * read, no command is taken.
 */
export function commandGateway(
  config: PlatformConfig,
  connections: Connections,
  log: Log,
): { readonly gateway: KafkaCommandGateway; readonly replies: Component; readonly producer: Component } {
  const { serdes } = connections;
  const replies = new Reader(
    {
      name: 'replies',
      topic: topics.apiResponses,
      value: serdes.ApiResponse,
      onValue: (reply) => gateway.onReply(reply),
    },
    connections,
    log,
  );
  const gateway = new KafkaCommandGateway({
    bootstrapServers: config.bootstrapServers,
    clientId: `api-${config.instanceId}`,
    requestSerde: serdes.ApiRequest,
    log,
    repliesReady: () => replies.isReady(),
  });
  // The API asks the gateway itself whether it is ready.
  const producer = { name: 'gateway', start: () => gateway.start(), close: () => gateway.close() };
  return { gateway, replies, producer };
}
