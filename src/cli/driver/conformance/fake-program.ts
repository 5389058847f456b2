/** A fake program that a driver starts instead of the real one. Needs only a shell. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Behaviour {
  readonly stdout: string | Buffer;
  readonly exitCode: number;
  /** What it prints, one after the other, each once it has read another line; the output comes after the next line. */
  readonly replies?: readonly string[];
  /** Shell commands before the output, and between the output and the exit. */
  readonly before?: string;
  readonly after?: string;
}

export interface SeenCall {
  readonly args: readonly string[];
  readonly stdin: Buffer;
  readonly env: Readonly<Record<string, string>>;
}

const SCRIPT = `#!/bin/sh
there=$(dirname "$0")
number=1
while ! mkdir "$there/call-$number" 2>/dev/null; do number=$((number + 1)); done
call="$there/call-$number"
for word in "$@"; do printf '%s\\0' "$word"; done >"$call/args"
if [ -p /dev/stdin ]; then
  head -n 1 >"$call/stdin"
  for reply in "$there"/reply-*; do
    [ -e "$reply" ] || continue
    cat "$reply"
    head -n 1 >>"$call/stdin"
  done
else
  cat >"$call/stdin"
fi
cp "$SIGNALBOX_PROMPT_FILE" "$call/prompt"
env >"$call/env"
. "$there/before"
cat "$there/stdout"
. "$there/after"
exit "$(cat "$there/code")"
`;

export class FakeProgram {
  readonly path: string;
  readonly #directory: string;

  constructor(directory: string, { stdout, exitCode, replies = [], before = '', after = '' }: Behaviour) {
    this.#directory = directory;
    this.path = join(directory, 'program');
    mkdirSync(directory, { recursive: true });
    writeFileSync(this.path, SCRIPT);
    chmodSync(this.path, 0o755);
    writeFileSync(join(directory, 'stdout'), stdout);
    writeFileSync(join(directory, 'code'), String(exitCode));
    for (const [index, reply] of replies.entries()) writeFileSync(join(directory, `reply-${index}`), reply);
    writeFileSync(join(directory, 'before'), before);
    writeFileSync(join(directory, 'after'), after);
  }

  /** @param number starting at 1. @returns undefined if there was no such call */
  call(number: number): (SeenCall & { readonly promptFile: Buffer }) | undefined {
    const directory = join(this.#directory, `call-${number}`);
    if (!existsSync(join(directory, 'env'))) return undefined;
    const read = (name: string): Buffer => readFileSync(join(directory, name));
    const variables = read('env').toString().split('\n');
    return {
      args: read('args').toString().split('\0').slice(0, -1),
      stdin: read('stdin'),
      promptFile: read('prompt'),
      env: Object.fromEntries(
        variables.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      ),
    };
  }
}
