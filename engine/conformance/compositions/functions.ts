import { text } from '../topologies/family.ts';
import type { KeyName, MappingName, PredicateName } from './program.ts';

type Text = string | null;

/** Aggregates begin anew above this length, so that they don't grow with the input. */
const LENGTH_MAX = 24;

export const predicates: { readonly [name in PredicateName]: (key: unknown, value: Text) => boolean } = {
  a: (_key, value) => value?.startsWith('a') === true,
  'not-b': (_key, value) => value === null || !value.startsWith('b'),
  x: (_key, value) => value?.startsWith('x') === true,
  any: () => true,
};

export const mappings: { readonly [name in MappingName]: (key: unknown, value: Text) => Text } = {
  mark: (_key, value) => (value === null ? null : `${value}!`),
  'null-c': (_key, value) => (value === null || value.startsWith('c') ? null : value),
  key: (key, value) => (value === null ? null : value + text(key)),
};

export const keyChoices: { readonly [name in KeyName]: (key: Text, value: Text) => Text } = {
  first: (key, value) => (value === null ? key : value.slice(0, 1)),
  same: (key) => key,
  value: (_key, value) => value,
  all: () => 'all',
  upper: (_key, value) => (value === null ? null : value.slice(0, 1).toUpperCase()),
};

export function append(aggregate: Text, sign: string, value: Text): string {
  return (aggregate === null || aggregate.length > LENGTH_MAX ? '' : aggregate) + sign + text(value);
}

/** The joiner: both sides cut to a length, so that joins of joins stay short. */
export function joinedShort(left: unknown, right: unknown): string {
  return `${text(left).slice(0, LENGTH_MAX)}|${text(right).slice(0, LENGTH_MAX)}`;
}
