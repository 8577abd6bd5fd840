import type { RegisteredSchema, SchemaRegistry } from './schema-registry.ts';

let registryCount = 0;

/**
 * A schema registry inside the process, for the test driver and unit tests: answers at once, checks no compatibility.
 *
 * Owns: schemas by id and subjects. Invariants: I1 the same schema text has one id, whatever the subject, as in Confluent's.
 */
export class MemorySchemaRegistry implements SchemaRegistry {
  readonly name: string;
  readonly #schemas: string[] = [];
  readonly #ids = new Map<string, number>();
  readonly #subjects = new Map<string, RegisteredSchema[]>();

  constructor() {
    registryCount += 1;
    this.name = `memory-${registryCount}`;
  }

  /** Registers a schema under a subject and answers its id at once; the same text has the same id again. */
  registerSync(subject: string, schema: string): number {
    let id = this.#ids.get(schema);
    if (id === undefined) {
      id = this.#schemas.push(schema);
      this.#ids.set(schema, id);
    }
    const versions = this.#subjects.get(subject) ?? [];
    if (!versions.some((version) => version.id === id)) versions.push({ id, schema });
    this.#subjects.set(subject, versions);
    return id;
  }

  /** The schema of an id; undefined where none was registered. */
  schemaByIdSync(id: number): string | undefined {
    return this.#schemas[id - 1];
  }

  async register(subject: string, schema: string): Promise<number> {
    return this.registerSync(subject, schema);
  }

  async schemaById(id: number): Promise<string | undefined> {
    return this.schemaByIdSync(id);
  }

  async versions(subject: string): Promise<readonly RegisteredSchema[]> {
    return this.#subjects.get(subject) ?? [];
  }
}
