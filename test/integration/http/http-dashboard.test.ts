/** How the files of the dashboard are served. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerError } from '../../../src/http/errors.ts';
import { serveDashboard } from '../../../src/http/pages/dashboard.ts';

const PAGE = '<!doctype html><title>Signalbox</title>';
const SCRIPT = `export const text = '${'much '.repeat(1_000)}';`;

let directory: string;
let http: FastifyInstance;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-dashboard-'));
  http = fastify();
  http.setErrorHandler(answerError);
  serveDashboard(http, directory);
});
afterEach(async () => {
  await http.close();
  await rm(directory, { recursive: true, force: true });
});

async function build(): Promise<void> {
  await mkdir(join(directory, 'assets'));
  await writeFile(join(directory, 'index.html'), PAGE);
  await writeFile(join(directory, 'assets', 'main-1a2b.js'), SCRIPT);
  await writeFile(join(directory, 'secret.txt'), 'not of the page');
}

describe('the dashboard', () => {
  it('is the same page at every path, and may load and run only its own files', async () => {
    await build();
    for (const url of [
      '/ui/',
      '/ui/board',
      '/ui/projects/p/tasks/t',
      '/ui/secret.txt',
      '/ui/..%2Fsecret.txt',
    ]) {
      const { statusCode, headers, body } = await http.inject(url);
      expect([url, statusCode, body]).toEqual([url, 200, PAGE]);
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'; script-src 'self';");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toContain('unsafe');
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
      });
    }
    for (const url of ['/', '/ui']) {
      const { statusCode, headers } = await http.inject(url);
      expect([statusCode, headers.location]).toEqual([302, '/ui/']);
    }
  });

  it('serves compressed files to clients that accept them, and 304 to clients that have them', async () => {
    await build();
    const plain = await http.inject('/ui/assets/main-1a2b.js');
    expect([plain.body, plain.headers['content-encoding']]).toEqual([SCRIPT, undefined]);
    expect(plain.headers['cache-control']).toContain('immutable');
    const zipped = await http.inject({
      url: '/ui/assets/main-1a2b.js',
      headers: { 'accept-encoding': 'br, gzip' },
    });
    expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(zipped.rawPayload.length).toBeLessThan(SCRIPT.length / 10);
    const again = await http.inject({
      url: '/ui/assets/main-1a2b.js',
      headers: { 'if-none-match': String(plain.headers.etag) },
    });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });

  it('has no other files, and names the build command if it is not built', async () => {
    for (const url of ['/ui/', '/ui/assets/main-1a2b.js']) {
      const { statusCode, body } = await http.inject(url);
      expect([url, statusCode, JSON.parse(body).code]).toEqual([url, 404, 'not_found']);
    }
    expect((await http.inject('/ui/')).json().detail).toContain('npm run build');
  });
});
