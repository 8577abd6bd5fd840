import {
  type ArtifactView,
  type CommandGateway,
  type CommandReply,
  type CommandRequest,
  type InspectionFilter,
  type InspectionList,
  type InspectionView,
  inspectionId,
  type LotView,
  type ModelDeploymentView,
  type Models,
  type ModelView,
  type ObjectHead,
  type Objects,
  type PartView,
  type Queries,
  UnavailableError,
} from '@chip-quality/schemas';
import type { ApiClock } from '../../src/index.ts';

/**
 * A small platform in memory behind the API's ports: enough of the actors' behaviour to make the API's answers
 * meaningful, plus the faults that a real platform shows only when something is broken.
 */
export class PlatformDouble implements CommandGateway, Queries, Objects, Models {
  readonly parts = new Map<string, PartView>();
  readonly lots = new Map<string, LotView>();
  readonly boards = new Map<string, InspectionView>();
  readonly models = new Map<string, ModelView>();
  readonly stored = new Map<string, ObjectHead>();
  readonly requests: CommandRequest[] = [];
  /** Set to make the next calls fail. */
  outage: Error | undefined;
  /** Set to make the object store fail. */
  objectOutage: Error | undefined;
  /** Commands wait for this. */
  hold: Promise<void> | undefined;
  /** Set to make lists stop there. */
  searchedTo: InspectionList['resumeAfter'];
  isUp = true;
  /** Where presigned addresses point to. */
  objectsOrigin = 'http://objects.test';
  readonly #answers = new Map<string, { hash: string; reply: CommandReply }>();
  readonly #clock: ApiClock;

  constructor(clock: ApiClock) {
    this.#clock = clock;
  }

  isReady(): boolean {
    return this.isUp;
  }

  async execute(request: CommandRequest): Promise<CommandReply> {
    this.requests.push(request);
    await this.hold;
    if (this.outage !== undefined) throw this.outage;
    const key = `${request.tenantId}|${request.idempotencyKey}`;
    const earlier = this.#answers.get(key);
    if (earlier !== undefined) {
      if (earlier.hash !== request.payloadHash) {
        return { status: 422, body: { type: 'urn:x:key-reused', title: 'Key reused' }, replayed: false };
      }
      return { ...earlier.reply, replayed: true };
    }
    const reply = { ...this.#run(request), replayed: false };
    this.#answers.set(key, { hash: request.payloadHash, reply });
    return reply;
  }

  async inspection(tenantId: string, id: string): Promise<InspectionView | undefined> {
    this.#check();
    const view = this.boards.get(id);
    return view !== undefined && this.#belongs(tenantId, view) ? view : undefined;
  }

  async inspections(tenantId: string, filter: InspectionFilter): Promise<InspectionList> {
    this.#check();
    const { after } = filter;
    const views = [...this.boards.values()]
      .filter((view) => this.#belongs(tenantId, view))
      .filter((view) => filter.status === undefined || view.status === filter.status)
      .filter((view) => filter.chipId === undefined || view.chip_id === filter.chipId)
      .filter((view) => filter.lotId === undefined || view.lot_id === filter.lotId)
      .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at) || (a.id < b.id ? 1 : -1))
      .filter((view) => {
        if (after === undefined) return true;
        const createdAtMs = Date.parse(view.created_at);
        return createdAtMs < after.createdAtMs || (createdAtMs === after.createdAtMs && view.id < after.id);
      })
      .slice(0, filter.limit + 1);
    return this.searchedTo === undefined ? { views } : { views, resumeAfter: this.searchedTo };
  }

  async part(_tenantId: string, id: string): Promise<PartView | undefined> {
    this.#check();
    return this.parts.get(id);
  }

  async lot(_tenantId: string, id: string): Promise<LotView | undefined> {
    this.#check();
    return this.lots.get(id);
  }

  async list(): Promise<readonly ModelView[]> {
    this.#check();
    return [...this.models.values()];
  }

  async model(name: string): Promise<ModelView | undefined> {
    this.#check();
    return this.models.get(name);
  }

  async presignPut(key: string): Promise<string> {
    return `${this.objectsOrigin}/${key}?put`;
  }

  async presignGet(key: string): Promise<string> {
    return `${this.objectsOrigin}/${key}?get`;
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    if (this.objectOutage !== undefined) throw this.objectOutage;
    return this.stored.get(key);
  }

  #check(): void {
    if (this.outage !== undefined) throw this.outage;
  }

  #belongs(tenantId: string, view: InspectionView): boolean {
    return view.id === inspectionId(tenantId, view.lot_id, view.chip_id, view.inspection_type);
  }

  #run({ operation, resourceId, payload }: CommandRequest): { status: number; body: Record<string, unknown> } {
    const now = new Date(this.#clock.nowMs()).toISOString();
    if (operation === 'model.deploy') {
      const model = this.models.get(resourceId) as ModelView;
      const { production, candidate = null } = payload as unknown as ModelDeploymentView;
      const deployment = { ...(model.deployment as ModelDeploymentView), production, candidate, revision: 1 };
      this.models.set(resourceId, { ...model, deployment });
      return { status: 200, body: { ...deployment } };
    }
    if (operation === 'model.rollback') return { status: 409, body: { type: 'urn:x:nothing-to-roll-back' } };
    if (operation === 'part.create') {
      const part = {
        id: resourceId,
        ...payload,
        golden: null,
        created_at: now,
        updated_at: now,
      } as unknown as PartView;
      this.parts.set(resourceId, part);
      return { status: 201, body: { ...part } };
    }
    if (operation === 'lot.create') {
      const lot = { id: resourceId, ...payload, created_at: now } as unknown as LotView;
      this.lots.set(resourceId, lot);
      return { status: 201, body: { ...lot } };
    }
    if (operation === 'part.confirm_golden') {
      const part = this.parts.get(resourceId) as PartView;
      this.parts.set(resourceId, { ...part, golden: payload as unknown as ArtifactView });
      return { status: 200, body: { ...payload } };
    }
    if (operation === 'inspection.create') {
      if (this.boards.has(resourceId)) return { status: 409, body: { type: 'urn:x:duplicate', detail: 'exists' } };
      const view = inspectionView(resourceId, payload, now);
      this.boards.set(resourceId, view);
      return { status: 201, body: { ...view } };
    }
    const view = this.boards.get(resourceId) as InspectionView;
    if (operation === 'inspection.confirm_artifact') {
      this.boards.set(resourceId, { ...view, artifacts: [...view.artifacts, payload as unknown as ArtifactView] });
      return { status: 200, body: { ...payload } };
    }
    return { status: 202, body: { request_id: payload.job_id, estimated_completion: now } };
  }
}

/** A fresh inspection as the actor would answer. */
export function inspectionView(id: string, payload: Readonly<Record<string, unknown>>, now: string): InspectionView {
  return {
    id,
    status: 'pending',
    verdict: null,
    artifacts: [],
    defects: [],
    failure_reason: null,
    attempts: 0,
    model_name: null,
    model_version: null,
    created_at: now,
    updated_at: now,
    started_at: null,
    completed_at: null,
    ...payload,
  } as unknown as InspectionView;
}

/** What the gateway says when the broker is away. */
export const OUTAGE = new UnavailableError('The command log does not answer', 2.4);
