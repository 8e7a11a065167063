/** A path below node_modules as people name it, with the package first. */
export function withoutModulesFolder(path: string): string {
  return path.replace(/^node_modules\//, '');
}
