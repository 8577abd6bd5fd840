/** The same object with some of its members replaced. */
export function replacing<T extends object>(target: T, replacements: Partial<T>): T {
  return new Proxy(target, {
    get(object, name) {
      const member = Reflect.get(name in replacements ? replacements : object, name) as unknown;
      return typeof member === 'function' && !(name in replacements) ? member.bind(object) : member;
    },
  });
}
