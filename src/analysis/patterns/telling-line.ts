/** The line of a command's output that tells what went wrong. */
import { stripVTControlCharacters } from 'node:util';
import { lastOf } from '../../text/cut-text.ts';
import { lastStates } from '../../text/printable.ts';

/** Characters of an output that are read, from its end. */
const TAIL = 20_000;
/** Characters of a line that are read. */
const LINE = 1000;

/** A kind of line and how much it tells. The first kind that a line matches is its kind. */
interface Kind {
  tells: number;
  line: RegExp;
  /** Which of several such lines is the one: of errors with causes the last, otherwise the first. */
  which?: 'last';
}

/** Lines that repeat, count or surround what others say. They tell nothing, whatever words they have. */
const NOTHING: readonly RegExp[] = [
  // A frame of a stack, a line of code under an error, what points into it.
  /^\s*(?:at |File "|\d+ *[|:] |[|^~>-]+\s*$|-+>|=+>? )/,
  // A property of an error that Node prints below its stack.
  /^\s*(?:errno|code|syscall|address|port|dest|requireStack): \S.*,?$/,
  // Counts and summaries.
  /^\s*(?:\d+ (?:failed|passed|passing|failing|problems?|errors?|warnings?)\b|(?:Tests?|Test Files|Test Suites|Snapshots|Suites):?\s+\d+|Found \d+ (?:errors?|warnings?)\b|FAILED \((?:failures|errors)=|=+ .*=+$|# (?:fail|pass|tests|todo|skipped|suites|cancelled|duration_ms)\b|[✖✗×] \d+ problems?|Ran \d+ tests?)/i,
  /\b(?:0 errors?|no errors?|0 failed|0 failures|errors?: 0|failures?: 0)\b/i,
  // What only says that an earlier line has failed.
  /^(?:make(?:\[\d+\])?: (?:\*\*\* \[|Leaving|Entering)|npm (?:ERR!|error) (?:Lifecycle|command |path |workspace |in workspace|at location|A complete log|This is probably|Exit status|code ELIFECYCLE|errno |syscall |signal |\/|\s|$)|error Command failed|ninja: build stopped|collect2: error|clang: error: linker|ERROR: Job failed|##\[error\]Process)/,
  /(?:could not compile|aborting due to|Build failed with \d+|compilation terminated|Process completed with exit code|exited with (?:code|status) \d+|returned non-zero exit status|ELIFECYCLE|Command failed with exit code|For more information about (?:this|an) error|some errors? (?:have|occurred))/i,
  /^\s*(?:npm )?(?:warn(?:ing)?\b|note:|help:|hint:|info\b|\(Use |Node\.js v|Require stack|During handling of|The above exception)/i,
  /^Traceback \(most recent call last\)|^\s*(?:Error|FAIL|FAILED|error|Failures|ERRORS|FAILURES):?\s*$/,
];

const KINDS: readonly Kind[] = [
  // Compilers, with the place or the code of an error.
  { tells: 9, line: /\berror (?:TS|CS|LNK|MSB|C)\d{3,5}\b|\berror\[E\d{4}\]/ },
  { tells: 9, line: /^\S[^\s:]*:\d+(?::\d+)?: (?:fatal )?error: / },
  { tells: 9, line: /\bundefined reference to\b|\bcannot find -l|^ld: / },
  // Failed assertions, as test runners show them.
  { tells: 8, line: /^E {3,}\S/ },
  { tells: 8, line: /^\s*(?:\w+\.)*Assertion(?:Error|Failed\w*)\b.*\S/ },
  { tells: 8, line: /\bpanicked at\b|^panic: |\bAssertion .* failed\b/ },
  // Errors by their name. Of exceptions that follow each other the last ended the program.
  {
    tells: 8,
    line: /^(?:npm (?:ERR!|error) |Exception in thread "[^"]*" |Uncaught |Unhandled |\[?error\]?:? |Caused by: )?(?:[a-zA-Z_$][\w$]*\.)*[A-Z]\w*(?:Error|Exception)\b(?: \[\w+\])?(?:: .*|$)/,
    which: 'last',
  },
  {
    tells: 7,
    line: /^(?:npm (?:ERR!|error) (?:code E|Missing|404|Could not|Invalid|Cannot|Unsupported|notarget)|ERR_\w+|\s*ERR_PNPM_)/,
  },
  { tells: 7, line: /^(?:[\w./+-]+: )?(?:fatal(?: error)?|FATAL(?: ERROR)?|\[?FATAL\]?):? \S/ },
  { tells: 7, line: /^make(?:\[\d+\])?: \*\*\* (?!\[)/ },
  {
    tells: 7,
    line: /Segmentation fault|Bus error|core dumped|Out of memory|out of memory|heap limit|Killed$/,
  },
  { tells: 7, line: /^\S+: (?:-c: )?line \d+: \S/ },
  {
    tells: 7,
    line: /: command not found|: not found$|: No such file or directory|: Permission denied|: cannot execute|: Is a directory|syntax error/i,
  },
  // An error of the system or of Node by its code.
  {
    tells: 6,
    line: /\bE(?:ACCES|ADDRINUSE|ADDRNOTAVAIL|AGAIN|AI_AGAIN|BADF|BUSY|CONNABORTED|CONNREFUSED|CONNRESET|EXIST|FBIG|HOSTUNREACH|INVAL|IO|ISDIR|LOOP|MFILE|NAMETOOLONG|NETUNREACH|NFILE|NOENT|NOEXEC|NOMEM|NOSPC|NOTDIR|NOTEMPTY|NOTFOUND|NXIO|PERM|PIPE|PROTO|ROFS|TIMEDOUT|XDEV)\b|\bERR_[A-Z][A-Z_]{2,}\b(?!\()/,
  },
  { tells: 6, line: /^\s*(?:--- FAIL: |not ok \d|FAIL(?:ED)?:? \S|[x✗✖×✕●] \S)/ },
  { tells: 6, line: /^\s*(?:\d+:\d+\s+)?(?:\[?error\]?|ERROR|Error)(?:\[\w+\])?[:!]?\s+\S/ },
  { tells: 5, line: /^\S[^:]{0,200}: (?:[Ee]rror|ERROR)\b/ },
  {
    tells: 4,
    line: /\b(?:cannot|can't|could not|couldn't|unable to|failed to|refused|denied|invalid|missing|unknown|unexpected|not found|no such|does not exist|exceeded|timed? ?out)\b/i,
  },
  { tells: 3, line: /\b(?:error|failed|failure|fatal|exception|abort(?:ed|ing)?)\b/i },
];

/**
 * The line of an output that tells what went wrong: an error with a code or a name, a failed assertion, a panic, before
 * what only counts or repeats them. Null where no line says so. What a terminal would not show is not part of it.
 */
export function tellingLine(output: string): string | null {
  const lines = stripVTControlCharacters(lastStates(lastOf(output, TAIL))).split(/\r?\n/);
  let best: { line: string; tells: number } | null = null;
  for (const [index, line] of lines.entries()) {
    const kind = kindOf(line.slice(0, LINE));
    if (kind === null || (best !== null && kind.tells < best.tells)) continue;
    if (best !== null && kind.tells === best.tells && kind.which !== 'last') continue;
    best = { line: whole(line, lines.slice(index + 1, index + 3)), tells: kind.tells };
  }
  return best === null ? null : best.line;
}

function kindOf(line: string): Kind | null {
  if (!/[\p{L}\p{N}]/u.test(line) || NOTHING.some((nothing) => nothing.test(line))) return null;
  return KINDS.find((kind) => kind.line.test(line)) ?? null;
}

/** A line without the space around it, with the next one that is not empty where it only introduces that. */
function whole(line: string, next: readonly string[]): string {
  const text = line.slice(0, LINE).trim();
  const rest = next.find((each) => each.trim() !== '');
  return text.endsWith(':') && rest !== undefined ? `${text} ${rest.slice(0, LINE).trim()}` : text;
}
