import { type Clock, sleep } from '../base/clock.ts';
import { BrokerError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { retryBackoffMs } from './backoff.ts';
import { isRetriableCode, kafkaCodes } from './kafka-errors.ts';

/** How long a control call is retried before its last error is the caller's. */
export const CALL_DEADLINE_MS = 30_000;
/**
 * A topic that seems to be missing may have been created a moment ago; after this many such answers it counts as
 * missing.
 */
const UNKNOWN_TOPIC_ATTEMPTS_MAX = 4;

/** Repeats an attempt while its errors are retriable, with backoff, until the deadline. Attempts count from 1. */
export async function retrying<T>(
  ports: { readonly clock: Clock; readonly random: Random },
  attempt: (number: number) => Promise<T>,
): Promise<T> {
  const { clock, random } = ports;
  const deadlineMs = clock.monotonicMs() + CALL_DEADLINE_MS;
  let unknownTopicAnswers = 0;
  for (let number = 1; ; number += 1) {
    try {
      return await attempt(number);
    } catch (error) {
      const isRetriable = error instanceof BrokerError && error.retriable && isRetriableCode(error.kafkaCode);
      if (!isRetriable || clock.monotonicMs() >= deadlineMs) throw error;
      if (error.kafkaCode === kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION) {
        unknownTopicAnswers += 1;
        if (unknownTopicAnswers >= UNKNOWN_TOPIC_ATTEMPTS_MAX) throw error;
      }
      await sleep(clock, retryBackoffMs(number, random));
    }
  }
}
