import { eventId } from '@chip-quality/schemas';
import type { RecordMetadata } from 'millrace';

/** The input record that an actor is working on: what its events' ids derive from. */
export type Origin = RecordMetadata;

/** Id of the `index`-th event that the record causes. */
export function originEventId(origin: Origin, index: number): string {
  return eventId(origin.topic, origin.partition, origin.offset, index);
}

/** The record being processed; actors emit nothing from punctuators, so there always is one. */
export function requireOrigin(metadata: RecordMetadata | undefined): Origin {
  if (metadata === undefined) throw new Error('an actor was called without an input record');
  return metadata;
}
