import type {
  CatalogEvent,
  CatalogState,
  Command,
  EarlierPayload,
  Lot,
  LotCreatePayload,
  Part,
  PartCreatePayload,
} from '@chip-quality/schemas';
import { type ArtifactFacts, artifactRef } from '../actor/artifact-facts.ts';
import { type Decision, notFound, refuse } from '../actor/decision.ts';
import { type Origin, originEventId } from '../actor/origin.ts';
import { problem } from '../actor/problems.ts';
import { artifactView, lotView, partView } from '../views.ts';

/** What the catalogue actor decided. */
export type CatalogDecision = Decision<CatalogState, CatalogEvent>;

function catalogEvent(
  type: 'part.created' | 'part.updated' | 'lot.created',
  payload: { readonly part: Part } | { readonly lot: Lot },
  command: Command,
  origin: Origin,
): CatalogEvent {
  return {
    event_id: originEventId(origin, 0),
    event_type: type,
    timestamp: command.issued_at,
    trace_id: command.traceparent,
    tenant_id: command.tenant_id,
    payload: { part: null, lot: null, ...payload },
  };
}

function newState(command: Command, origin: Origin): Omit<CatalogState, 'part' | 'lot'> {
  return {
    tenant_id: command.tenant_id,
    command_id: command.command_id,
    origin_offset: origin.offset,
    golden_command_id: null,
    golden_origin_offset: null,
    rejections: [],
  };
}

function createdPart(part: Part, command: Command, origin: Origin, announce: boolean): CatalogDecision {
  const asCreated: Part = { ...part, golden: null, updated_at: part.created_at, revision: 1 };
  return {
    answer: { status: 201, body: partView(asCreated) },
    events: announce ? [catalogEvent('part.created', { part: asCreated }, command, origin)] : [],
  };
}

/**
 * Creates a part; a part number that exists already is refused as a duplicate, unless the command is the one that made
 * it.
 */
export function decidePartCreate(command: Command, state: CatalogState | undefined, origin: Origin): CatalogDecision {
  const existing = state?.part ?? undefined;
  if (state !== undefined && existing !== undefined) {
    if (state.command_id === command.command_id) {
      return createdPart(existing, command, origin, state.origin_offset === origin.offset);
    }
    return refuse(problem('duplicate', `Part ${existing.part_number} exists already.`, { part_id: existing.id }));
  }
  const payload = JSON.parse(command.payload) as EarlierPayload<PartCreatePayload, 'part_type' | 'description'>;
  const part: Part = {
    id: command.resource_id,
    part_number: payload.part_number,
    part_type: payload.part_type ?? 'pcb',
    description: payload.description ?? null,
    golden: null,
    created_at: command.issued_at,
    updated_at: command.issued_at,
    revision: 1,
  };
  return { ...createdPart(part, command, origin, true), state: { ...newState(command, origin), part, lot: null } };
}

function createdLot(lot: Lot, command: Command, origin: Origin, announce: boolean): CatalogDecision {
  return {
    answer: { status: 201, body: lotView(lot) },
    events: announce ? [catalogEvent('lot.created', { lot }, command, origin)] : [],
  };
}

/**
 * Creates a lot; a lot number that exists already is refused as a duplicate, unless the command is the one that made
 * it.
 */
export function decideLotCreate(command: Command, state: CatalogState | undefined, origin: Origin): CatalogDecision {
  const existing = state?.lot ?? undefined;
  if (state !== undefined && existing !== undefined) {
    if (state.command_id === command.command_id) {
      return createdLot(existing, command, origin, state.origin_offset === origin.offset);
    }
    return refuse(problem('duplicate', `Lot ${existing.lot_number} exists already.`, { lot_id: existing.id }));
  }
  const payload = JSON.parse(command.payload) as LotCreatePayload;
  const lot: Lot = {
    id: command.resource_id,
    lot_number: payload.lot_number,
    part_id: payload.part_id,
    quantity: payload.quantity,
    created_at: command.issued_at,
  };
  return { ...createdLot(lot, command, origin, true), state: { ...newState(command, origin), part: null, lot } };
}

/** The newest confirmed image is the golden one. The answer derives from the command alone, so a repetition gets the same. */
export function decideConfirmGolden(
  command: Command,
  state: CatalogState | undefined,
  origin: Origin,
): CatalogDecision {
  const part = state?.part ?? undefined;
  const known = state !== undefined && state.tenant_id === command.tenant_id && state.origin_offset < origin.offset;
  if (!known || part === undefined) return notFound('part', command);
  const golden = artifactRef(JSON.parse(command.payload) as ArtifactFacts);
  const answer = { status: 200, body: artifactView(golden) };
  const repeated = state.golden_command_id === command.command_id;
  if (repeated) {
    const announce = state.golden_origin_offset === origin.offset;
    return { answer, events: announce ? [catalogEvent('part.updated', { part }, command, origin)] : [] };
  }
  // A redelivery from before the present golden image: it was set once, and replaced since.
  if (state.golden_origin_offset !== null && state.golden_origin_offset > origin.offset) return { answer, events: [] };
  const updated: Part = {
    ...part,
    golden,
    updated_at: Math.max(part.updated_at, command.issued_at),
    revision: part.revision + 1,
  };
  return {
    state: {
      ...state,
      part: updated,
      golden_command_id: command.command_id,
      golden_origin_offset: origin.offset,
    },
    answer,
    events: [catalogEvent('part.updated', { part: updated }, command, origin)],
  };
}
