import type { InspectionFilter, InspectionList, InspectionView, LotView, ModelView, PartView } from '../views.ts';

/**
 * Point reads and live lists from the keyed stores. The API calls it, `app/` implements it over the running applications. Every
 * method rejects with `UnavailableError` while a store is moving; what belongs to another tenant does not exist.
 */
export interface Queries {
  /** An inspection by id. */
  inspection(tenantId: string, id: string): Promise<InspectionView | undefined>;
  /** Inspections that pass the filter, newest first. */
  inspections(tenantId: string, filter: InspectionFilter): Promise<InspectionList>;
  /** A part by id. */
  part(tenantId: string, id: string): Promise<PartView | undefined>;
  /** A lot by id. */
  lot(tenantId: string, id: string): Promise<LotView | undefined>;
}

/**
 * The models of the repository with what is deployed of them. The API calls it, `app/` implements it. Rejects with
 * `UnavailableError` while state is moving.
 */
export interface Models {
  /** All models, by name. */
  list(): Promise<readonly ModelView[]>;
  /** A model by name; undefined when the repository has none of that name. */
  model(name: string): Promise<ModelView | undefined>;
}
