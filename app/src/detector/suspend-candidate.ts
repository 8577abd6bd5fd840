import { type Command, commandId, type ModelSuspendPayload } from '@chip-quality/schemas';
import { sendModelCommand } from '@chip-quality/sinks';
import type { PlatformSerdes } from '@chip-quality/topologies';
import type { Log } from 'millrace';
import type { PlatformConfig } from '../config.ts';

/** Models belong to the installation, not to a tenant. */
const TENANT = 'platform';

/** Tells every worker and whoever reads the deployment that a candidate is not tried any more. Never rejects. */
export type SuspendCandidate = (modelName: string, revision: number) => Promise<void>;

/**
 * What a worker does when a candidate goes on failing: it asks the deployment actor to end the trial for everybody. Where that does
 * not arrive, the trial has still ended in this process, and the other workers find out for themselves.
 */
export function suspendCandidateWith(
  { bootstrapServers, instanceId }: Pick<PlatformConfig, 'bootstrapServers' | 'instanceId'>,
  serdes: PlatformSerdes,
  log: Log,
): SuspendCandidate {
  const clientId = `worker-${instanceId}`;
  return async (modelName, revision) => {
    const idempotencyKey = `suspend-${modelName}-${revision}`;
    const command: Command = {
      command_id: commandId(TENANT, idempotencyKey),
      tenant_id: TENANT,
      subject: clientId,
      idempotency_key: idempotencyKey,
      operation: 'model.suspend',
      resource_id: modelName,
      payload: JSON.stringify({ revision } satisfies ModelSuspendPayload),
      traceparent: '',
      issued_at: Date.now(),
    };
    try {
      await sendModelCommand(command, { bootstrapServers, clientId, commandSerde: serdes.Command });
    } catch (error) {
      log.error(
        { err: error, model: modelName, revision },
        'The end of a trial could not be sent to the other workers; it has ended here',
      );
    }
  };
}
