export {
  CommandGateway,
  type CommandGatewayOptions,
  createCommandGateway,
  type GatewayReply,
  type GatewayRequest,
} from './commands/command-gateway.ts';
export { type SendCommandOptions, sendModelCommand } from './commands/send-command.ts';
export { UnavailableError } from './commands/unavailable-error.ts';
export {
  createObjectStore,
  MAX_IMAGE_BYTES,
  type ObjectHead,
  type ObjectStore,
  type ObjectStoreOptions,
} from './objects/object-store.ts';
export {
  ObjectNotFoundError,
  ObjectStoreUnavailableError,
  ObjectTooLargeError,
} from './objects/object-store-errors.ts';
export type { BufferedRecord, RefusedRecord } from './timescale/copy-writer.ts';
export type { SinkEvent } from './timescale/event-rows.ts';
export { migrate, migrateWith } from './timescale/migrate.ts';
export { createTimescaleSink, type TimescaleSinkOptions } from './timescale/timescale-sink.ts';
