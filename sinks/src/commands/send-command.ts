import { type Command, topics } from '@chip-quality/schemas';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Serde } from 'millrace';

/** Nobody waits for it, so it may wait for a broker: ten tries with doubling waits are five minutes. */
const SEND_RETRIES = 9;
const RETRY_INITIAL_MS = 500;
const RETRY_MAX_MS = 60_000;

/** How a command reaches Kafka. */
export interface SendCommandOptions {
  /** Kafka brokers, `host:port`. */
  readonly bootstrapServers: readonly string[];
  /** Name in the broker's logs and quotas. */
  readonly clientId: string;
  /** Serde of the command topics' values. */
  readonly commandSerde: Serde<Command>;
}

/**
 * Sends one command of the platform's own to the actor of models, past the idempotency actor: nobody waits for its answer. It may
 * arrive twice, so its `command_id` must be the same for the same wish. Rejects when the broker did not take it.
 */
export async function sendModelCommand(command: Command, options: SendCommandOptions): Promise<void> {
  const { bootstrapServers, clientId, commandSerde } = options;
  const topic = topics.modelCommands;
  await commandSerde.configure?.({ topic, side: 'value', reads: false, writes: true });
  const kafka = new Kafka({
    clientId,
    brokers: [...bootstrapServers],
    retry: { retries: SEND_RETRIES, initialRetryTime: RETRY_INITIAL_MS, maxRetryTime: RETRY_MAX_MS },
    logLevel: logLevel.NOTHING,
  });
  // Java's murmur2 over the key bytes, as the engine partitions.
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  try {
    await producer.connect();
    const value = commandSerde.serialize(command, topic);
    await producer.send({ topic, acks: -1, messages: [{ key: command.resource_id, value }] });
  } finally {
    await producer.disconnect();
  }
}
