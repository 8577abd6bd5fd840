export function missingDependencies(root: string): 'all' | 'some' | 'nothing';
export function createPostgresLinks(root: string): void;
export function installDependencies(root: string, log: (line: string) => void): Promise<void>;
