import { parse } from '@babel/parser';
import { type Node, VISITOR_KEYS } from '@babel/types';

const FUNCTIONS: ReadonlySet<string> = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ObjectMethod',
  'ClassMethod',
  'ClassPrivateMethod',
]);

const DECISIONS: ReadonlySet<string> = new Set([
  'IfStatement',
  'ConditionalExpression',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
  'CatchClause',
  'LogicalExpression',
]);

/** Which part of a node names the function that it is or holds. */
const NAME_KEYS: ReadonlyMap<string, string> = new Map([
  ['FunctionDeclaration', 'id'],
  ['FunctionExpression', 'id'],
  ['VariableDeclarator', 'id'],
  ['ObjectMethod', 'key'],
  ['ClassMethod', 'key'],
  ['ClassPrivateMethod', 'key'],
  ['ObjectProperty', 'key'],
  ['ClassProperty', 'key'],
  ['ClassPrivateProperty', 'key'],
  ['AssignmentExpression', 'left'],
  ['AssignmentPattern', 'left'],
]);

/** A function and how many independent paths lead through it. */
export interface FunctionComplexity {
  /** As well as it can be told from its place; `(anonymous)` otherwise. */
  name: string;
  /** Counted from 1. */
  line: number;
  lines: number;
  complexity: number;
}

/**
 * Cyclomatic complexity of every function: McCabe, "A complexity measure", 1976, with decisions counted as ESLint does:
 * one for each branch, loop, case, catch and short-circuit operator. A function inside another one counts for itself.
 * @throws SyntaxError for what is not JavaScript.
 */
export function functionComplexities(source: string): FunctionComplexity[] {
  const { program } = parse(source, {
    sourceType: 'unambiguous',
    plugins: ['jsx'],
    allowReturnOutsideFunction: true,
    attachComment: false,
  });
  const functions: FunctionComplexity[] = [];
  visit(program, null, { name: '', line: 1, lines: 0, complexity: 1 }, functions);
  return functions;
}

function visit(node: Node, parent: Node | null, around: FunctionComplexity, all: FunctionComplexity[]): void {
  let current = around;
  if (FUNCTIONS.has(node.type)) {
    const { start, end } = node.loc ?? { start: { line: 0 }, end: { line: 0 } };
    const lines = end.line - start.line + 1;
    current = { name: functionName(node, parent), line: start.line, lines, complexity: 1 };
    all.push(current);
  } else if (isDecision(node)) current.complexity += 1;
  for (const key of VISITOR_KEYS[node.type] ?? []) {
    const value: unknown = Reflect.get(node, key);
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) visit(child, node, current, all);
    }
  }
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

function isDecision(node: Node): boolean {
  // `default:` is no decision, and `=` is none either.
  if (node.type === 'SwitchCase') return node.test !== null && node.test !== undefined;
  if (node.type === 'AssignmentExpression') return ['&&=', '||=', '??='].includes(node.operator);
  return DECISIONS.has(node.type);
}

/** Its own name, or that of what it is assigned to. */
function functionName(node: Node, parent: Node | null): string {
  const named = [node, parent].map((each) => (each === null ? null : partWithName(each)));
  return (
    named.map((part) => (part === null ? null : nameOf(part))).find((name) => name !== null) ?? '(anonymous)'
  );
}

function partWithName(node: Node): Node | null {
  const part: unknown = Reflect.get(node, NAME_KEYS.get(node.type) ?? '');
  return isNode(part) ? part : null;
}

function nameOf(node: Node): string | null {
  if (node.type === 'Identifier') return node.name;
  if (node.type === 'PrivateName') return `#${node.id.name}`;
  if (node.type === 'StringLiteral') return node.value;
  return node.type === 'MemberExpression' ? nameOf(node.property) : null;
}
