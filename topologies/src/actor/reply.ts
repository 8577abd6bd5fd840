import { type ApiReply, type Command, requestKey } from '@chip-quality/schemas';
import { Record } from 'millrace';
import type { Decision } from './decision.ts';
import { traceHeaders } from './trace-headers.ts';

/** An actor's answer to a command, on its way back to the idempotency actor. `timestamp` is the command record's, epoch ms. */
export function replyRecord(
  command: Command,
  answer: NonNullable<Decision<unknown, unknown>['answer']>,
  timestamp: number,
): Record<string, ApiReply> {
  const { command_id, tenant_id, idempotency_key } = command;
  const reply: ApiReply = {
    command_id,
    tenant_id,
    idempotency_key,
    status: answer.status,
    body: JSON.stringify(answer.body),
  };
  return new Record(requestKey(tenant_id, idempotency_key), reply, timestamp, traceHeaders(command.traceparent));
}
