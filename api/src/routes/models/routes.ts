import type { CommandGateway, ModelDeploymentView, Models, ModelView } from '@chip-quality/schemas';
import { z } from 'zod';
import { ProblemError } from '../../http/problem.ts';
import { json } from '../../http/response.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { execute } from '../commands.ts';
import { answers, COMMAND_PROBLEMS, commandAnswers, NOT_FOUND } from '../documented-responses.ts';
import { found, referred } from '../lookup.ts';
import { Model, ModelDeployment, ModelDeploymentRequest, ModelList, ModelRollback, modelName } from './schema.ts';

const TAG = 'Models';
const params = z.object({ model_name: modelName });
const query = z.strictObject({});

/** The model repository, and which versions judge. */
export function modelRoutes(gateway: CommandGateway, models: Models): Route[] {
  return [listModels(models), getModel(models), deployModel(gateway, models), rollBackModel(gateway, models)];
}

function listModels(models: Models): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/models',
    operationId: 'listModels',
    summary: 'List the models of the repository',
    tag: TAG,
    scope: 'models:read',
    params: z.object({}),
    query,
    idempotencyKey: 'none',
    responses: { 200: answers('The models.', ModelList) },
    handle: async () => json(200, { data: await models.list() }),
  });
}

function getModel(models: Models): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/models/{model_name}',
    operationId: 'getModel',
    summary: 'Read a model with its versions and what is deployed of it',
    tag: TAG,
    scope: 'models:read',
    params,
    query,
    idempotencyKey: 'none',
    responses: { 200: answers('The model.', Model), ...NOT_FOUND },
    handle: async ({ params: { model_name: name } }) => json(200, found(await models.model(name), 'model', name)),
  });
}

function deployModel(gateway: CommandGateway, models: Models): Route {
  return defineRoute({
    method: 'PUT',
    path: '/v1/models/{model_name}/deployment',
    operationId: 'deployModel',
    summary: 'Say which version judges, and which one is on trial',
    description:
      'Every instance loads what it lacks, switches, and lets what is under way finish: no inference fails for it. Without ' +
      '`candidate` there is none any more.',
    tag: TAG,
    scope: 'models:write',
    params,
    query,
    body: ModelDeploymentRequest,
    idempotencyKey: 'required',
    responses: { 200: commandAnswers('What is deployed now.', ModelDeployment), ...NOT_FOUND, ...COMMAND_PROBLEMS },
    handle: async (context) => {
      const { body } = context;
      const { model, deployment } = await deployable(models, context.params.model_name);
      existing(model, 'production', body.production);
      if (body.candidate != null) existing(model, 'candidate.version', body.candidate.version);
      return execute(gateway, context, {
        operation: 'model.deploy',
        resourceId: model.name,
        payload: { ...body, initial: deployment.production },
      });
    },
  });
}

function rollBackModel(gateway: CommandGateway, models: Models): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/models/{model_name}/rollback',
    operationId: 'rollBackModel',
    summary: 'Take the newest change back',
    description:
      'Ends the trial of the candidate where there is one; else the version that was in production before judges again.',
    tag: TAG,
    scope: 'models:write',
    params,
    query,
    body: ModelRollback,
    bodyOptional: true,
    idempotencyKey: 'required',
    responses: { 200: commandAnswers('What is deployed now.', ModelDeployment), ...NOT_FOUND, ...COMMAND_PROBLEMS },
    handle: async (context) => {
      const { model, deployment } = await deployable(models, context.params.model_name);
      return execute(gateway, context, {
        operation: 'model.rollback',
        resourceId: model.name,
        payload: { initial: deployment.production },
      });
    },
  });
}

async function deployable(
  models: Models,
  name: string,
): Promise<{ readonly model: ModelView; readonly deployment: ModelDeploymentView }> {
  const model = found(await models.model(name), 'model', name);
  if (model.deployment === null) {
    throw new ProblemError('not-deployable', `Boards are not judged with ${name} by itself.`);
  }
  return { model, deployment: model.deployment };
}

function existing(model: ModelView, field: string, version: string): void {
  const known = model.versions.find((each) => each.version === version);
  referred(known, `version of ${model.name}`, field, version);
}
