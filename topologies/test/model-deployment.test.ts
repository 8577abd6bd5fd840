import { topics } from '@chip-quality/schemas';
import { describe, expect, it } from 'vitest';
import { modelDeploymentFlow } from '../src/index.ts';
import { bodyOf, command, drive, serdes } from './support/driver.ts';

const NAME = 'pcb_defect_detector';

function line() {
  const driver = drive(modelDeploymentFlow.build({ serdes, store: 'memory' }), modelDeploymentFlow.id);
  const commands = driver.createInputTopic(topics.modelCommands, serdes.key, serdes.Command);
  const replies = driver.createOutputTopic(topics.apiReplies, serdes.key, serdes.ApiReply);
  const deployments = driver.createOutputTopic(topics.modelDeployments, serdes.key, serdes.ModelDeployment);
  const send = (operation: string, payload: object, key?: string) => {
    commands.pipeInput(
      NAME,
      command(operation, NAME, { initial: '1', ...payload }, key === undefined ? {} : { idempotency_key: key }),
    );
    const reply = replies.readValue();
    if (reply == null) throw new Error('a reply is no tombstone');
    return { status: reply.status, body: bodyOf(reply), deployments: deployments.readValuesToList() };
  };
  /** What a worker tells of a candidate; answers what followed. */
  const suspend = (revision: number) => {
    commands.pipeInput(NAME, command('model.suspend', NAME, { revision }, { idempotency_key: `suspend-${revision}` }));
    expect(replies.isEmpty).toBe(true);
    return deployments.readValuesToList();
  };
  return { send, suspend };
}

describe('the deployment actor', () => {
  it('puts a version into production and remembers the one before', () => {
    const { send } = line();
    const { status, body, deployments } = send('model.deploy', { production: '2' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      production: '2',
      candidate: null,
      previous: '1',
      revision: 1,
      updated_by: 'station-1',
    });
    expect(deployments).toEqual([
      expect.objectContaining({ model_name: NAME, production: '2', history: ['1'], revision: 1 }),
    ]);
  });

  it('rolls the candidate back first, then the production version, then has nothing left', () => {
    const { send } = line();
    send('model.deploy', { production: '2' });
    const candidate = { version: '3', mode: 'split', share: 0.5 };
    expect(send('model.deploy', { production: '2', candidate }).body).toMatchObject({ candidate, previous: '1' });
    expect(send('model.rollback', {}).body).toMatchObject({ production: '2', candidate: null, previous: '1' });
    expect(send('model.rollback', {}).body).toMatchObject({ production: '1', candidate: null, previous: null });
    const refused = send('model.rollback', {});
    expect(refused).toMatchObject({
      status: 409,
      body: { type: 'urn:chip-quality:problem:nothing-to-roll-back' },
      deployments: [],
    });
  });

  it('refuses a rollback where nobody has deployed anything', () => {
    expect(line().send('model.rollback', {})).toMatchObject({ status: 409, deployments: [] });
  });

  it('answers a redelivered command alike, changes nothing, and tells the deployment again', () => {
    const { send } = line();
    const first = send('model.deploy', { production: '2' }, 'k1');
    send('model.deploy', { production: '3' }, 'k2');
    const again = send('model.deploy', { production: '2' }, 'k1');
    expect(again.body).toEqual(first.body);
    expect(again.deployments.map((each) => each?.production)).toEqual(['3']);
    expect(send('model.deploy', { production: '4' }).body).toMatchObject({ previous: '3', revision: 3 });
  });

  it('suspends a candidate on the word of a worker, until somebody deploys or rolls back', () => {
    const { send, suspend } = line();
    const candidate = { version: '3', mode: 'split', share: 0.5 };
    expect(suspend(0)).toEqual([]);
    const { body } = send('model.deploy', { production: '2', candidate });
    expect(body).toMatchObject({ candidate: { ...candidate, suspended_at: null }, revision: 1 });
    const suspended = { ...candidate, suspended_at: expect.any(Number) };
    expect(suspend(1)).toMatchObject([{ production: '2', candidate: suspended, revision: 2 }]);
    // Redelivered, the deployment goes out again; what is told of an earlier deployment changes nothing.
    expect(suspend(1)).toMatchObject([{ candidate: suspended, revision: 2 }]);
    expect(suspend(5)).toEqual([]);
    expect(send('model.deploy', { production: '2', candidate }).body).toMatchObject({
      candidate: { suspended_at: null },
      revision: 3,
    });
    expect(suspend(3)).toHaveLength(1);
    expect(send('model.rollback', {}).body).toMatchObject({ production: '2', candidate: null });
  });

  it('keeps a bounded history', () => {
    const { send } = line();
    for (let version = 2; version < 20; version += 1) send('model.deploy', { production: String(version) });
    const { deployments } = send('model.deploy', { production: '20' });
    expect(deployments[0]?.history).toEqual(Array.from({ length: 10 }, (_, index) => String(10 + index)));
  });
});
