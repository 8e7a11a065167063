/** Where the files of an execution are, beside the log of its output: `ws-a.log` has `ws-a.test-1.log` and `ws-a.tool`. */

const nameOf = (logFile: string): string => logFile.replace(/\.log$/, '');

/** What the acceptance test at this position, from 1, printed. */
export const testLogFile = (logFile: string, position: number): string =>
  `${nameOf(logFile)}.test-${position}.log`;

/** The folder of what its tool steps keep. */
export const toolFolder = (logFile: string): string => `${nameOf(logFile)}.tool`;
