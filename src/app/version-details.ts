import { findNativeHost } from '../engine/native-host.ts';
import { packageVersion } from '../os/package-version.ts';

/** What a report about a problem should say of this installation. */
export function versionDetails(): string {
  const { file, obstacle } = findNativeHost();
  const commands =
    file === null ? `by Node; not by the native host, because ${obstacle}` : `by the native host ${file}`;
  return [
    `millrace ${packageVersion()}`,
    `Node ${process.version} on ${process.platform} ${process.arch}`,
    `Commands of larger runs are started ${commands}.`,
  ].join('\n');
}
