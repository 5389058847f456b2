/**
 * The dashboard: the files of a built page, from memory. They are public; what they show is asked for with the rights of
 * whoever looks.
 *
 * U1 Nothing but the page's own files is loaded, whatever a task or an agent has written into what it shows.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SignalboxError } from '../../contracts/errors.ts';

export const DASHBOARD_PATH = '/ui';

/** Where the build puts the page: beside the compiled program, which is below `dist/` when the sources run. */
const DIRECTORY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/web' : '../../../web', import.meta.url),
);
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
  // Every other address is a place in the page: it finds its way itself.
  http.get(`${DASHBOARD_PATH}/*`, { config }, sendPage);
}

function send({ headers }: FastifyRequest, reply: FastifyReply, file: File): FastifyReply {
  const { type, tag, bytes, zipped } = file;
  reply.headers({ etag: tag, vary: 'accept-encoding', 'content-type': type });
  if (headers['if-none-match'] === tag) return reply.code(304).send();
  if (!/\bgzip\b/.test(headers['accept-encoding'] ?? '')) return reply.send(bytes);
  return reply.header('content-encoding', 'gzip').send(zipped);
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
