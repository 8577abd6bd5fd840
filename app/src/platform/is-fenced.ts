import { BrokerError } from 'millrace';

/** Kafka's FENCED_INSTANCE_ID: the group has another, newer member of this name. */
const FENCED_INSTANCE_ID = 82;

/** Whether an error, or what caused it, says that another process is this group member now. */
export function isFenced(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof BrokerError && at.kafkaCode === FENCED_INSTANCE_ID) return true;
  }
  return false;
}
