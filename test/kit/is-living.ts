import { entryOf } from '../../src/os/process-table.ts';

/** Whether the process is alive; a zombie is not. */
export const isLiving = (pid: number): boolean => entryOf(pid) !== null;
