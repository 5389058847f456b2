/**
 * Reads YAML 1.2, which includes JSON, with the position of each key and list item. What YAML allows but a configuration
 * does not need is an error with a position, never a guess: a repeated key, keys that are not plain words, tags, a second
 * document.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
} from 'yaml';
import { isKept } from '../base/exact-json.ts';
import { messageOf } from '../contracts/errors.ts';
import type { ConfigProblem, Path, Position } from './issues.ts';

export type PlacedProblem = ConfigProblem & Position;

export interface YamlSource {
  /** The content as plain data; undefined if it cannot be read. */
  readonly value: unknown;
  readonly problems: readonly PlacedProblem[];
  /** The position of the path, or of the innermost part of it that exists. */
  placeOf(path: Path): Position;
}

/** Never throws: errors are in the result. */
export function readYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const syntax = [...document.errors, ...document.warnings].map(
    ({ code, message, pos: [offset] }): PlacedProblem => ({
      path: [],
      message: code === 'MULTIPLE_DOCS' ? 'a second document: remove the "---" and what follows' : message,
      ...placeAt(lines, offset),
    }),
  );
  if (syntax.length > 0) return { value: undefined, problems: syntax, placeOf: () => START };
  const index = new PlaceIndex(document, lines);
  const placeOf = (path: Path) => index.placeOf(path);
  if (index.unreadable) return { value: undefined, problems: index.problems, placeOf };
  try {
    return { value: document.toJS(), problems: index.problems, placeOf };
  } catch (error) {
    // The only remaining error: aliases within aliases, refused before they fill the memory.
    const problem = { path: [], message: messageOf(error), ...START };
    return { value: undefined, problems: [...index.problems, problem], placeOf };
  }
}

const START: Position = { line: 1, column: 1 };

function placeAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return line === 0 ? START : { line, column: col };
}

const DECIMAL = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;

/** Whether a decimal number is another one in JavaScript. */
function isInexact({ value, source = '' }: Scalar): boolean {
  return typeof value === 'number' && DECIMAL.test(source) && !isKept(source);
}

class PlaceIndex {
  readonly problems: PlacedProblem[] = [];
  /** Whether the document cannot be turned into plain data. */
  unreadable = false;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #places = new Map<string, Position>();

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
    this.#visit(document.contents, []);
  }

  placeOf(path: Path): Position {
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(JSON.stringify(path.slice(0, length)));
      if (place) return place;
    }
    return START;
  }

  /** Does not follow aliases: an error behind one is shown at the alias. */
  #visit(node: unknown, path: Path): void {
    if (isMap(node)) {
      const seen = new Map<string, Position>();
      for (const { key, value } of node.items) this.#visitPair(key, value, path, seen);
    } else if (isSeq(node)) {
      for (const [position, item] of node.items.entries()) {
        const here = [...path, position];
        this.#places.set(JSON.stringify(here), this.#placeOfNode(item));
        this.#visit(item, here);
      }
    } else if (isScalar(node) && isInexact(node)) {
      const what = `the number ${node.source} cannot be kept exactly: write it as text, or with at most 15 digits`;
      this.#report(path, what, this.#placeOfNode(node));
    } else if (isAlias(node) && !node.resolve(this.#document)) {
      this.unreadable = true;
      this.#report(path, `nothing above has the anchor &${node.source}`, this.#placeOfNode(node));
    }
  }

  #visitPair(key: unknown, value: unknown, path: Path, seen: Map<string, Position>): void {
    const place = this.#placeOfNode(key);
    if (!isScalar(key)) {
      this.unreadable = true;
      this.#report(path, 'a key must be a plain word', place);
      return;
    }
    const name = String(key.value);
    const here = [...path, name];
    const first = seen.get(name);
    if (first) this.#report(here, `the key exists already, on line ${first.line}: keep one of them`, place);
    // Every object has a property of this name, so the key would get lost.
    if (name === '__proto__') this.#report(here, 'this name cannot be a key: choose another', place);
    seen.set(name, first ?? place);
    // If a key is repeated, the data has its second value.
    this.#places.set(JSON.stringify(here), place);
    this.#visit(value, here);
  }

  #placeOfNode(node: unknown): Position {
    return isNode(node) && node.range ? placeAt(this.#lines, node.range[0]) : START;
  }

  #report(path: Path, message: string, place: Position): void {
    this.problems.push({ path, message, ...place });
  }
}
