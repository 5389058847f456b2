/**
 * Reads YAML 1.2, which includes JSON, with the position of each key and list item. What YAML allows but a configuration
 * does not need is an error with a position, never a guess: a repeated key, keys that are not plain words, merged maps,
 * tags, a second document. What aliases add is limited.
 */
import {
  type Alias,
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
import { isKept, MAX_JSON_DEPTH } from '../base/exact-json.ts';
import { BROKEN_TEXT, hasLoneSurrogate } from '../base/text/well-formed.ts';
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
  try {
    return readDocument(text);
  } catch (error) {
    const problem = { path: [], message: explained(messageOf(error)), ...START };
    return { value: undefined, problems: [problem], placeOf: () => START };
  }
}

/** The library follows the levels of a text by calling itself. */
function explained(message: string): string {
  return message === 'Maximum call stack size exceeded' ? TOO_DEEP : message;
}

function readDocument(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const syntax = [...document.errors, ...document.warnings].map(
    ({ code, message, pos: [offset] }): PlacedProblem => ({
      path: [],
      message:
        code === 'MULTIPLE_DOCS'
          ? 'a second document: remove the "---" and what follows'
          : explained(message),
      ...placeAt(lines, offset),
    }),
  );
  const tooDeep = syntax.find(({ message }) => message === TOO_DEEP);
  if (tooDeep) return { value: undefined, problems: [tooDeep], placeOf: () => START };
  if (syntax.length > 0) return { value: undefined, problems: syntax, placeOf: () => START };
  const index = new PlaceIndex(document, lines);
  const placeOf = (path: Path) => index.placeOf(path);
  if (index.unreadable) return { value: undefined, problems: index.problems, placeOf };
  // The index has counted what aliases add.
  return { value: document.toJS({ maxAliasCount: -1 }), problems: index.problems, placeOf };
}

const TOO_DEEP = `nested deeper than ${MAX_JSON_DEPTH} levels`;
/** Characters that the aliases of a document may add to it. */
const MAX_ALIASED = 1_048_576;

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
  readonly #lines: LineCounter;
  readonly #places = new Map<string, Position>();
  /** By node that is complete: its characters, those of its aliases included. */
  readonly #sizes = new Map<unknown, number>();
  /** Those above the node that is visited. */
  readonly #anchors = new Map<string, unknown>();
  #aliased = 0;

  constructor(document: Document, lines: LineCounter) {
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

  /** Does not follow aliases: an error behind one is shown at the alias. @returns the size of the node */
  #visit(node: unknown, path: Path): number {
    if (isNode(node) && !isAlias(node) && node.anchor) this.#anchors.set(node.anchor, node);
    const size = 1 + this.#sizeOf(node, path);
    this.#sizes.set(node, size);
    return size;
  }

  #sizeOf(node: unknown, path: Path): number {
    if (isAlias(node)) return this.#visitAlias(node, path);
    if (isScalar(node)) return this.#visitScalar(node, path);
    if (path.length >= MAX_JSON_DEPTH) {
      if (isMap(node) || isSeq(node)) this.#refuse(path, TOO_DEEP, node);
      return 0;
    }
    let size = 0;
    if (isMap(node)) {
      const seen = new Map<string, Position>();
      for (const { key, value } of node.items) size += this.#visitPair(key, value, path, seen);
    } else if (isSeq(node)) {
      for (const [position, item] of node.items.entries()) {
        const here = [...path, position];
        this.#places.set(JSON.stringify(here), this.#placeOfNode(item));
        size += this.#visit(item, here);
      }
    }
    return size;
  }

  #visitScalar(node: Scalar, path: Path): number {
    if (isInexact(node)) {
      const what = `the number ${node.source} cannot be kept exactly: write it as text, or with at most 15 digits`;
      this.#report(path, what, this.#placeOfNode(node));
    }
    const text = String(node.value);
    if (hasLoneSurrogate(text)) this.#report(path, BROKEN_TEXT, this.#placeOfNode(node));
    return text.length;
  }

  #visitAlias(node: Alias, path: Path): number {
    const target = this.#anchors.get(node.source);
    const size = this.#sizes.get(target);
    if (target === undefined) this.#refuse(path, `nothing above has the anchor &${node.source}`, node);
    else if (size === undefined) this.#refuse(path, `*${node.source} is inside its own anchor`, node);
    this.#aliased += size ?? 0;
    if (this.#aliased <= MAX_ALIASED) return size ?? 0;
    if (!this.unreadable) {
      const what = `the aliases up to here repeat more than ${MAX_ALIASED} characters: use fewer`;
      this.#refuse(path, what, node);
    }
    return 0;
  }

  #visitPair(key: unknown, value: unknown, path: Path, seen: Map<string, Position>): number {
    const place = this.#placeOfNode(key);
    if (!isScalar(key)) {
      this.#refuse(path, 'a key must be a plain word', key);
      return 0;
    }
    const name = String(key.value);
    if (name === '<<') {
      const what =
        'maps are not merged with "<<": write the keys here, or an alias in the place of the whole map';
      this.#refuse(path, what, key);
      return 0;
    }
    if (hasLoneSurrogate(name)) this.#report(path, BROKEN_TEXT, place);
    const here = [...path, name];
    const first = seen.get(name);
    if (first) this.#report(here, `the key exists already, on line ${first.line}: keep one of them`, place);
    // Every object has a property of this name, so the key would get lost.
    if (name === '__proto__') this.#report(here, 'this name cannot be a key: choose another', place);
    seen.set(name, first ?? place);
    // If a key is repeated, the data has its second value.
    this.#places.set(JSON.stringify(here), place);
    return name.length + this.#visit(value, here);
  }

  #placeOfNode(node: unknown): Position {
    return isNode(node) && node.range ? placeAt(this.#lines, node.range[0]) : START;
  }

  /** What cannot be turned into plain data. */
  #refuse(path: Path, message: string, node: unknown): void {
    this.unreadable = true;
    this.#report(path, message, this.#placeOfNode(node));
  }

  #report(path: Path, message: string, place: Position): void {
    this.problems.push({ path, message, ...place });
  }
}
