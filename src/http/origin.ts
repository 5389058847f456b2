/**
 * Protects against requests of foreign web pages.
 *
 * DNS rebinding: the Host header must be a loopback name or address, or the host of the configuration. If other machines
 * can reach the server (they need a token), any IP address will do, since it cannot be made to resolve elsewhere.
 * Cross-site requests: if Origin is sent, it must be that of this server.
 */
import type { IncomingMessage } from 'node:http';
import { SignalboxError } from '../contracts/errors.ts';

export interface OriginRules {
  /** The address that the server listens on. */
  readonly host: string;
  /** URL at which clients reach the server, if it differs from the address. */
  readonly publicUrl: string | undefined;
}

export interface OriginHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

const HOST_HEADER = /^[\w.:[\]-]+$/;
/** As URLs write them: an IPv4 address always has four parts there. */
const LOOPBACK = /^(?:localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** An IP address, as URLs write them. */
const NUMBERS = /^(?:\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\])$/;

/** Whether only this machine can reach an address that is listened on. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|::1|127(?:\.\d{1,3}){3})$/.test(host);
}

/** Whether others can reach the server: on its own address, or by a proxy under its public one. */
export function isReachable({ host, publicUrl }: OriginRules): boolean {
  return !isLoopback(host) || (publicUrl !== undefined && !LOOPBACK.test(new URL(publicUrl).hostname));
}

/** The host that a request is for: of its target if that is a whole URL (as for a proxy), otherwise of its header. */
export function hostOfRequest({ url = '', headers }: IncomingMessage): string | undefined {
  if (url.startsWith('/') || url === '*') return headers.host;
  return URL.canParse(url) ? new URL(url).host : url;
}

/** @returns a check of a request's headers. @throws SignalboxError `forbidden` (the check) */
export function originGuard({ host, publicUrl }: OriginRules): (headers: OriginHeaders) => void {
  const open = publicUrl === undefined ? null : new URL(publicUrl);
  const named = new Set([parseHost(host.includes(':') ? `[${host}]` : host)?.hostname, open?.hostname]);
  const isOurs = (name: string): boolean =>
    LOOPBACK.test(name) || named.has(name) || (!isLoopback(host) && NUMBERS.test(name));
  return (headers) => {
    const target = parseHost(headers.host ?? '');
    // A dot at the end makes a name absolute, and no other one.
    if (!target || !isOurs(target.hostname.replace(/\.$/, ''))) {
      throw new SignalboxError(
        'forbidden',
        `Signalbox does not answer to the host ${JSON.stringify(headers.host ?? '')}: use its address, or set server.public_url to its name`,
      );
    }
    if (headers.origin === undefined) return;
    if (headers.origin !== open?.origin && hostOf(headers.origin) !== target.host) {
      throw new SignalboxError('forbidden', `pages of ${headers.origin} may not use this Signalbox`);
    }
  };
}

function parseHost(header: string): URL | null {
  return HOST_HEADER.test(header) ? parseUrl(`http://${header}`) : null;
}

/** Host and port of an origin; null if it is opaque. */
function hostOf(origin: string): string | null {
  const url = parseUrl(origin);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url.host : null;
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
