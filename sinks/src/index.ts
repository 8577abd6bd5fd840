export { type CommandGatewayOptions, KafkaCommandGateway } from './commands/kafka-command-gateway.ts';
export { type SendCommandOptions, sendModelCommand } from './commands/send-command.ts';
export {
  createObjectStore,
  type ObjectStore,
  type ObjectStoreOptions,
} from './objects/object-store.ts';
export {
  ObjectNotFoundError,
  ObjectStoreUnavailableError,
  ObjectTooLargeError,
} from './objects/object-store-errors.ts';
export type { BufferedRecord, RefusedRecord } from './timescale/copy-writer.ts';
export { migrate, migrateWith } from './timescale/migrate.ts';
export { createTimescaleSink, type TimescaleSinkOptions } from './timescale/timescale-sink.ts';
