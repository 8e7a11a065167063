/**
 * Regular expressions by simulation of a nondeterministic automaton: Thompson, "Regular expression search algorithm",
 * 1968, as told by Cox, "Regular expression matching can be simple and fast", 2007. Time is proportional to pattern
 * times text, whatever they are. Knows literals, `.`, `( )`, `|`, `?`, `*` and `+`.
 */

/** One state: reads a character and goes on, or forks without reading, or accepts. */
type State = { read: string | null; next: number } | { fork: [number, number] } | 'accept';

/** Links of states that are still to be set. */
type Ends = ((target: number) => void)[];

interface Fragment {
  start: number;
  ends: Ends;
}

/** Compiles a pattern to a function that says whether a whole text matches. @throws SyntaxError for a bad pattern. */
export function compileRegex(pattern: string): (text: string) => boolean {
  const { states, start } = new Parser(pattern).parse();
  return (text) => {
    let current = new Set<number>();
    follow(states, start, current);
    for (const character of text) {
      const next = new Set<number>();
      for (const index of current) {
        const state = states[index];
        if (typeof state !== 'object' || !('read' in state)) continue;
        if (state.read === null || state.read === character) follow(states, state.next, next);
      }
      current = next;
    }
    return [...current].some((index) => states[index] === 'accept');
  };
}

/** Adds a state and all that it reaches without reading. */
function follow(states: readonly State[], from: number, reached: Set<number>): void {
  const waiting = [from];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (reached.has(index)) continue;
    reached.add(index);
    const state = states[index];
    if (typeof state === 'object' && 'fork' in state) waiting.push(...state.fork);
  }
}

/** Recursive descent over alternatives, sequences, repetitions and atoms. */
class Parser {
  readonly #characters: string[];
  readonly #states: State[] = [];
  #position = 0;

  constructor(pattern: string) {
    this.#characters = Array.from(pattern);
  }

  parse(): { states: State[]; start: number } {
    const { start, ends } = this.#alternatives();
    if (this.#position < this.#characters.length) throw new SyntaxError('A ")" has no "(" before it.');
    const accept = this.#states.push('accept') - 1;
    for (const set of ends) set(accept);
    return { states: this.#states, start };
  }

  #alternatives(): Fragment {
    let fragment = this.#sequence();
    while (this.#take('|')) {
      const other = this.#sequence();
      const start = this.#states.push({ fork: [fragment.start, other.start] }) - 1;
      fragment = { start, ends: [...fragment.ends, ...other.ends] };
    }
    return fragment;
  }

  #sequence(): Fragment {
    if (this.#isAtEnd()) return this.#nothing();
    let { start, ends } = this.#repetition();
    while (!this.#isAtEnd()) {
      const part = this.#repetition();
      for (const set of ends) set(part.start);
      ends = part.ends;
    }
    return { start, ends };
  }

  #repetition(): Fragment {
    let fragment = this.#atom();
    for (;;) {
      if (this.#take('?')) {
        const { start, ends } = this.#fork(fragment.start);
        fragment = { start, ends: [...fragment.ends, ...ends] };
      } else if (this.#take('*') || this.#take('+')) {
        const { start, ends } = this.#fork(fragment.start);
        for (const set of fragment.ends) set(start);
        fragment = { start: this.#characters[this.#position - 1] === '*' ? start : fragment.start, ends };
      } else return fragment;
    }
  }

  #atom(): Fragment {
    const character = this.#characters[this.#position];
    this.#position += 1;
    if (character === undefined || '?*+'.includes(character))
      throw new SyntaxError('There is nothing to repeat.');
    if (character === '(') {
      const fragment = this.#alternatives();
      if (!this.#take(')')) throw new SyntaxError('A "(" has no ")" after it.');
      return fragment;
    }
    const state = { read: character === '.' ? null : character, next: -1 };
    return { start: this.#states.push(state) - 1, ends: [(target) => (state.next = target)] };
  }

  /** A choice between a fragment and what comes after it. */
  #fork(first: number): Fragment {
    const fork: [number, number] = [first, first];
    return { start: this.#states.push({ fork }) - 1, ends: [(target) => (fork[1] = target)] };
  }

  #nothing(): Fragment {
    const fork: [number, number] = [-1, -1];
    return { start: this.#states.push({ fork }) - 1, ends: [(target) => fork.fill(target)] };
  }

  /** Whether a sequence can't go on here. */
  #isAtEnd(): boolean {
    return [undefined, '|', ')'].includes(this.#characters[this.#position]);
  }

  #take(character: string): boolean {
    if (this.#characters[this.#position] !== character) return false;
    this.#position += 1;
    return true;
  }
}
