/** The verification of logs and bundles: audit/chain-verifies. */
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/base/hash.ts';
import { checkpointText, generateKey } from '../../../src/features/audit/keys.ts';
import type { StoredMessage } from '../../../src/journal/journal.ts';
import {
  type Audit,
  auditOf,
  auditOfBundle,
  bundleOf,
  type SignedLog,
  signedLog,
} from '../../support/history/signed-log.ts';

let made: SignedLog;
let messages: readonly StoredMessage[];

beforeAll(async () => {
  made = await signedLog();
  messages = made.log.messages;
});

const textOf = (message: StoredMessage | undefined): string => Buffer.from(message?.bytes ?? []).toString();

/** Index of an event that is neither a checkpoint nor just before a redacted event. */
const middle = (): number => messages.findLastIndex((each) => textOf(each).includes('"task.claimed"'));

function edited(index: number, edit: (text: string) => string): StoredMessage[] {
  return messages.map((each, at) =>
    at === index ? { ...each, bytes: Buffer.from(edit(textOf(each))) } : each,
  );
}

/** Chains the messages again, as an attacker without the key would. */
function rechained(changed: readonly StoredMessage[]): StoredMessage[] {
  const result: StoredMessage[] = [];
  let previous: string | null = null;
  for (const each of changed) {
    // The hash of a redacted event is in the redaction.
    if (each.sequence !== (result.at(-1)?.sequence ?? 0) + 1) previous = null;
    const own: string = textOf(each);
    const linked: string =
      previous === null ? own : own.replace(/("previoushash":")[0-9a-f]{64}/, `$1${previous}`);
    previous = sha256(linked);
    result.push({ ...each, bytes: Buffer.from(linked) });
  }
  return result;
}

/** Shifts the sequences from an index on. */
function renumbered(all: readonly StoredMessage[], from: number, by: number): StoredMessage[] {
  return all.map((each, at) => (at < from ? each : { ...each, sequence: each.sequence + by }));
}

/** Sequence of the message at an index. */
const sequenceAt = (index: number): number => messages[index]?.sequence ?? 0;

const kindsAt = ({ findings }: Audit, sequence: number): string[] =>
  findings.filter((each) => each.sequence === sequence).map(({ kind }) => kind);

describe('an unchanged log', () => {
  it('audit/chain-verifies: has no findings, and reports what is proved', async () => {
    const { verification, findings } = await auditOf(messages);
    expect(findings).toEqual([]);
    expect(verification).toMatchObject({ first: 1, redacted: 1, keys: made.keys, findings: 0 });
    expect(verification.last).toBe(messages.at(-1)?.sequence);
    expect(verification.checkpoints).toBeGreaterThan(2);
    // Not covered: the event before the last checkpoint, the checkpoint, and the stop.
    expect(verification.last - verification.covered).toBeLessThanOrEqual(3);
  });

  it('verifies if its first key is trusted, and with no other key', async () => {
    expect((await auditOf(messages, { trusted: new Set([made.keys[0]]) })).findings).toEqual([]);
    const foreign = await auditOf(messages, { trusted: new Set([generateKey().fingerprint]) });
    expect(foreign.findings.map(({ kind }) => kind)).toEqual(['key']);
    const introduced = messages.find((each) => textOf(each).includes('key_introduced'));
    expect(foreign.findings[0]?.sequence).toBe(introduced?.sequence);
  });
});

describe('audit/chain-verifies: a changed log', () => {
  it('reports an event with a flipped bit', async () => {
    const index = middle();
    const flipped = edited(index, (text) => text.replace('"agent":"echo"', '"agent":"ecio"'));
    expect(kindsAt(await auditOf(flipped), sequenceAt(index))).toContain('chain');
  });

  it('reports a missing event', async () => {
    const index = middle();
    const audit = await auditOf(messages.toSpliced(index, 1));
    expect(kindsAt(audit, sequenceAt(index))).toEqual(['gap']);
  });

  it('reports a missing event if the others are numbered and chained again', async () => {
    const index = middle();
    const dropped = renumbered(messages.toSpliced(index, 1), index, -1);
    const audit = await auditOf(rechained(dropped));
    expect(kindsAt(audit, sequenceAt(index))).toContain('identity');
    expect(audit.findings.map(({ kind }) => kind)).toContain('checkpoint');
  });

  it('reports two events in the wrong order', async () => {
    const index = middle();
    const swapped = messages.map((each, at) => {
      const other = at === index ? messages[index + 1] : at === index + 1 ? messages[index] : each;
      return { ...(other ?? each), sequence: each.sequence };
    });
    const audit = await auditOf(swapped);
    expect(kindsAt(audit, sequenceAt(index))).toContain('chain');
    expect(kindsAt(audit, sequenceAt(index))).toContain('identity');
  });

  it('reports an inserted event', async () => {
    const index = middle();
    const copy = messages[index];
    if (!copy) throw new Error('no event in the middle');
    const inserted = renumbered(messages.toSpliced(index, 0, copy), index + 1, 1);
    expect(kindsAt(await auditOf(inserted), sequenceAt(index))).toContain('chain');
    const anew = await auditOf(rechained(inserted));
    expect(kindsAt(anew, sequenceAt(index) + 1)).toContain('identity');
    expect(kindsAt(anew, sequenceAt(index) + 1)).toContain('version');
  });

  it('reports a missing end, by the notes of the data directory', async () => {
    const last = messages.at(-1);
    const mark = { what: 'the mark', sequence: last?.sequence ?? 0, id: last?.id };
    expect((await auditOf(messages, { anchors: [mark] })).findings).toEqual([]);
    const cut = await auditOf(messages.slice(0, -2), { anchors: [mark] });
    expect(cut.findings).toMatchObject([{ kind: 'truncated', sequence: sequenceAt(messages.length - 2) }]);
    const other = await auditOf(messages, { anchors: [{ ...mark, id: 'other-1' }] });
    expect(other.findings).toMatchObject([{ kind: 'other_log', sequence: sequenceAt(messages.length - 1) }]);
  });

  it('reports the first checkpoint after a change that is chained again', async () => {
    const index = middle();
    const audit = await auditOf(
      rechained(edited(index, (text) => text.replace('"agent":"echo"', '"agent":"evil"'))),
    );
    const next = messages.findIndex(
      (each, at) => at > index && textOf(each).includes('"supervisor.checkpointed"'),
    );
    expect(kindsAt(audit, sequenceAt(next))).toContain('checkpoint');
  });

  it('reports a checkpoint that is signed again with another key', async () => {
    const index = messages.findIndex((each) => textOf(each).includes('"supervisor.checkpointed"'));
    const key = generateKey();
    const { data } = JSON.parse(textOf(messages[index])) as {
      data: { event: Parameters<typeof checkpointText>[0] & { key: string; signature: string } };
    };
    const { event } = data;
    const signature = key.sign(checkpointText(event));
    const resigned = edited(index, (text) => text.replace(event.signature, signature));
    expect(kindsAt(await auditOf(rechained(resigned)), sequenceAt(index))).toContain('checkpoint');
    const renamed = edited(index, (text) =>
      text.replace(event.signature, signature).replace(`"key":"${event.key}"`, `"key":"${key.fingerprint}"`),
    );
    expect(kindsAt(await auditOf(rechained(renamed)), sequenceAt(index))).toContain('checkpoint');
  });

  it('reports the key of a log that is signed again as a whole, if the right key is trusted', async () => {
    const foreign = await signedLog();
    const audit = await auditOf(foreign.log.messages, { trusted: new Set(made.keys.slice(0, 1)) });
    expect(audit.findings.map(({ kind }) => kind)).toEqual(['key']);
  });

  it('reports a key that its predecessor does not vouch for', async () => {
    const index = messages.findLastIndex((each) => textOf(each).includes('"supervisor.key_introduced"'));
    const unvouched = edited(index, (text) => text.replace(/,"signed_by":"[^"]*","signature":"[^"]*"/, ''));
    expect(kindsAt(await auditOf(rechained(unvouched)), sequenceAt(index))).toContain('key');
    const forged = edited(index, (text) => text.replace(/"signature":"..../, '"signature":"AAAA'));
    expect(kindsAt(await auditOf(rechained(forged)), sequenceAt(index))).toContain('key');
  });

  it('reports content that is erased without a redaction, or still there after one', async () => {
    const redaction = messages.findIndex((each) => textOf(each).includes('"task.redacted"'));
    const without = await auditOf(messages.toSpliced(redaction, 1));
    expect(kindsAt(without, made.redacted)).toEqual(['gap']);
    const other = edited(redaction, (text) =>
      text.replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${'0'.repeat(64)}"`),
    );
    expect(kindsAt(await auditOf(rechained(other)), made.redacted)).toContain('chain');
    const standIn = messages.find(({ sequence }) => sequence === made.redacted + 1);
    if (!standIn) throw new Error('no event after the redacted one');
    const still = [...messages, { ...standIn, sequence: made.redacted }].sort(
      (a, b) => a.sequence - b.sequence,
    );
    expect(kindsAt(await auditOf(still), made.redacted)).toContain('redaction');
  });
});

describe('a bundle', () => {
  const lastSequence = (): number => messages.at(-1)?.sequence ?? 0;

  it('verifies as a whole, by range, by project and by task, and contains only the requested events', async () => {
    const whole = await auditOfBundle(await bundleOf(messages), [made.keys[0]]);
    expect(whole).toMatchObject({ findings: [], verification: { omitted: 0, redacted: 1 } });
    for (const request of [
      { project: 'demo' },
      { project: 'demo', task: 'one' },
      { project: 'demo', task: 'thr' },
      { from: { sequence: 14 }, to: { sequence: 17 } },
      { from: { sequence: 5 } },
    ]) {
      const text = await bundleOf(messages, request);
      const { findings, verification } = await auditOfBundle(text, [made.keys[0]]);
      expect({ request, findings }).toEqual({ request, findings: [] });
      expect(verification.checkpoints).toBeGreaterThan(0);
    }
    const one = await bundleOf(messages, { project: 'demo', task: 'thr' });
    expect(one).toContain('did three');
    expect(one).not.toContain('did two');
  });

  it('detects a changed hash of an omitted event by the signed list of hashes', async () => {
    const text = await bundleOf(messages, { project: 'demo', task: 'thr' });
    const lines = text.split('\n');
    const at = lines.findIndex(
      (line, index) => line.includes('"omitted"') && lines[index + 1]?.includes('"omitted"'),
    );
    const line = JSON.parse(lines[at] ?? '') as { sequence: number; sha256: string };
    const forged = sealed(lines.with(at, JSON.stringify({ ...line, sha256: 'f'.repeat(64) })));
    const { findings } = await auditOfBundle(forged);
    expect(findings.map(({ kind }) => kind)).toContain('checkpoint');
  });

  it('reports changes, even if the hash in the last line is computed again', async () => {
    const lines = (await bundleOf(messages)).split('\n');
    const at = lines.findIndex((line) => line.includes('task.claimed'));
    const { sequence } = JSON.parse(lines[at] ?? '') as { sequence: number };
    const flip = sealed(lines.with(at, (lines[at] ?? '').replace('echo', 'ecio')));
    expect(kindsAt(await auditOfBundle(flip), sequence)).toContain('content');
    const dropped = sealed(lines.toSpliced(at, 1));
    expect(kindsAt(await auditOfBundle(dropped), sequence)).toEqual(['gap']);
    const twice = sealed(lines.toSpliced(at, 0, lines[at] ?? ''));
    expect(kindsAt(await auditOfBundle(twice), sequence)).toEqual(['order']);
    const swapped = sealed(lines.with(at, lines[at + 1] ?? '').with(at + 1, lines[at] ?? ''));
    expect(kindsAt(await auditOfBundle(swapped), sequence)).toEqual(['gap', 'order']);
    const manifest = lines.length - 3;
    const cut = sealed(lines.toSpliced(manifest - 1, 1));
    const { findings } = await auditOfBundle(cut);
    expect(findings.some(({ message }) => message.includes(`last is ${lastSequence()}`))).toBe(true);
  });

  it('is rejected if its first line is not a header, and reported if it is truncated', async () => {
    await expect(auditOfBundle('{"line":"event"}\n')).rejects.toMatchObject({ code: 'invalid_request' });
    const text = await bundleOf(messages);
    const { findings } = await auditOfBundle(text.slice(0, text.length / 2));
    expect(findings.at(-1)?.message).toContain('its end is missing');
  });
});

/** The lines with a matching hash in the last line. */
function sealed(lines: readonly string[]): string {
  const body = lines
    .slice(0, -2)
    .map((line) => `${line}\n`)
    .join('');
  return `${body}{"line":"end","sha256":"${sha256(body)}"}\n`;
}
