/**
 * The dashboard: the files of a built page, from memory. They are public; the page reads its data with the caller's rights.
 * The headers let it load its own files only, whatever a task or an agent has written into the text that it shows.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SignalboxError } from '../../contracts/errors.ts';
import { CODE_ROOT } from '../../version.ts';

export const DASHBOARD_PATH = '/ui';

/** The output of the build: beside the compiled program, or below `dist/` if the sources run. */
const DIRECTORY = join(CODE_ROOT, import.meta.url.endsWith('.ts') ? 'dist/web' : 'web');
const INDEX = 'index.html';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const PAGE_HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-cache',
} as const;

/** The names of these hold a hash of their content. */
const ASSET_HEADERS = { 'cache-control': 'public, max-age=31536000, immutable' } as const;

interface File {
  readonly type: string;
  readonly tag: string;
  readonly bytes: Buffer;
  readonly zipped: Buffer;
}

/** @param directory holds `index.html` and `assets/` */
export function serveDashboard(http: FastifyInstance, directory: string = DIRECTORY): void {
  let files: Promise<ReadonlyMap<string, File>> | undefined;
  const load = async (name: string): Promise<File | undefined> => {
    files ??= loadFiles(directory);
    return (await files).get(name);
  };
  const sendPage = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    send(request, reply.headers(PAGE_HEADERS), (await load(INDEX)) ?? notBuilt(directory));

  const config = { operation: 'dashboard' };
  http.get('/', { config }, async (_request, reply) => reply.redirect(`${DASHBOARD_PATH}/`));
  http.get(DASHBOARD_PATH, { config }, async (_request, reply) => reply.redirect(`${DASHBOARD_PATH}/`));
  http.get<{ Params: { readonly file: string } }>(
    `${DASHBOARD_PATH}/assets/:file`,
    { config },
    async (request, reply) => {
      const file = await load(`assets/${request.params.file}`);
      if (!file) throw new SignalboxError('not_found', `the dashboard has no file ${request.params.file}`);
      return send(request, reply.headers(ASSET_HEADERS), file);
    },
  );
  // Every other path is a view of the page, which routes it itself.
  http.get(`${DASHBOARD_PATH}/*`, { config }, sendPage);
}

function send({ headers }: FastifyRequest, reply: FastifyReply, file: File): FastifyReply {
  const { type, tag, bytes, zipped } = file;
  reply.headers({ etag: tag, vary: 'accept-encoding', 'content-type': type });
  if (headers['if-none-match'] === tag) return reply.code(304).send();
  if (!takesGzip(headers['accept-encoding'])) return reply.send(bytes);
  return reply.header('content-encoding', 'gzip').send(zipped);
}

/** `gzip;q=0` refuses it. */
function takesGzip(accepted = ''): boolean {
  return accepted.split(',').some((each) => {
    const [name, quality = 'q=1'] = each.split(';').map((part) => part.trim().toLowerCase());
    return name === 'gzip' && Number(quality.replace(/^q=/, '')) > 0;
  });
}

async function loadFiles(directory: string): Promise<ReadonlyMap<string, File>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = new Map<string, File>();
  for (const entry of entries) {
    const type = MEDIA_TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    const zipped = await promisify(gzip)(bytes);
    const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    files.set(path.slice(directory.length + 1), { type, tag, bytes, zipped });
  }
  return files;
}

function notBuilt(directory: string): never {
  throw new SignalboxError(
    'not_found',
    `the dashboard has not been built: ${directory} has no ${INDEX}; "npm run build" makes it`,
  );
}
