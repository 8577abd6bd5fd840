import { createHash } from 'node:crypto';
import type { CommandGateway, CommandPayloads, Operation } from '@chip-quality/schemas';
import type { HttpResult } from '../http/exchange.ts';
import { completeProblem } from '../http/problem.ts';
import { json, problemResult } from '../http/response.ts';
import type { RouteContext } from '../http/route.ts';
import { canonicalJson } from './canonical-json.ts';

/** A change that a handler asks of the platform: validated body and what the API resolved for it. */
export type Change = {
  [O in Operation]: {
    readonly operation: O;
    readonly resourceId: string;
    readonly payload: CommandPayloads[O];
    /** Address of what was created; goes out with 201. */
    readonly location?: string;
  };
}[Operation];

/**
 * Sends a change through the command gateway and turns the reply into an answer: the resource, or problem details, and
 * `Idempotent-Replayed` when it is the stored answer of an earlier request with the same key.
 *
 * The hash covers what the client sent, not what the API resolved for it: a repetition is the same request even when a
 * part got another golden image in between.
 *
 * @throws UnavailableError when no reply comes in time
 */
export async function execute(
  gateway: CommandGateway,
  context: RouteContext<unknown, unknown, unknown>,
  change: Change,
): Promise<HttpResult> {
  const reply = await gateway.execute(
    {
      requestId: context.requestId,
      tenantId: context.principal.tenantId,
      subject: context.principal.subject,
      idempotencyKey: context.idempotencyKey,
      operation: change.operation,
      resourceId: change.resourceId,
      payload: { ...change.payload },
      payloadHash: payloadHash(change.operation, context.path, context.rawBody),
      traceparent: context.traceparent,
      receivedAtMs: context.receivedAtMs,
    },
    context.signal,
  );
  const headers = {
    ...(reply.replayed ? { 'Idempotent-Replayed': 'true' } : {}),
    ...(reply.status === 201 && change.location !== undefined ? { Location: change.location } : {}),
    ...(reply.status === 503 ? { 'Retry-After': '1' } : {}),
  };
  return reply.status >= 400
    ? problemResult(completeProblem(reply.status, reply.body), context.requestId, headers)
    : json(reply.status, reply.body, headers);
}

/** SHA-256, hex, over operation, path and the client's body. */
export function payloadHash(operation: Operation, path: string, body: unknown): string {
  return createHash('sha256')
    .update(`${operation}\n${path.toLowerCase()}\n${canonicalJson(body)}`)
    .digest('hex');
}
