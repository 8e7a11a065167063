/**
 * `import()` for code in a bundle. A file of its own, also in the build, because Node answers `import()` only where it has
 * loaded the code itself, and code that comes out of a cache it has not.
 */
export const importModule = (url: string): Promise<Record<string, unknown>> => import(url);
