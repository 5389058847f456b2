import { describe, expect, it } from 'vitest';
import { exitOf, parseExitRecord } from '../../../src/process/files/exit.ts';
import { parsePsLine, parsePsMarkers, parsePsRecord } from '../../../src/process/host/darwin-processes.ts';
import { markersIn, parseMemory, parseStat } from '../../../src/process/host/linux-processes.ts';

describe('parseStat', () => {
  const rest = 'S 40 41 42 0 -1 4194560 2108 39323 0 63 3 2 37 22 20 0 1 0 99582 5124096 980';

  it('reads a name with spaces and parentheses', () => {
    expect(parseStat(`43 (a) b (c) ${rest}\n`)).toEqual({
      pid: 43,
      name: 'a) b (c',
      state: 'S',
      ppid: 40,
      pgid: 41,
      sid: 42,
      startTime: '99582',
      cpuMs: (3 + 2 + 37 + 22) * 10,
      beforeExec: false,
    });
  });

  it('tells that a process was forked and has not executed a program yet', () => {
    expect(parseStat(`43 (sh) ${rest.replace('4194560', '4194368')}`)?.beforeExec).toBe(true);
  });

  it.each(['', '43', '43 (sh)', '43 (sh) S 1 2', `x (sh) ${rest}`, ') 43 ('])('refuses %j', (text) => {
    expect(parseStat(text)).toBeUndefined();
  });
});

describe('markersIn', () => {
  const read = (text: string) => markersIn(Buffer.from(text));

  it('finds the variable anywhere in the environment, and only as a whole name', () => {
    expect(read('SIGNALBOX_ATTEMPT_MARKER=a\0B=c\0')).toEqual(['a']);
    expect(read('B=c\0SIGNALBOX_ATTEMPT_MARKER=a')).toEqual(['a']);
    expect(read('X_SIGNALBOX_ATTEMPT_MARKER=x\0SIGNALBOX_ATTEMPT_MARKER=a\0')).toEqual(['a']);
    expect(read('SIGNALBOX_ATTEMPT_MARKER=outer,inner\0')).toEqual(['outer', 'inner']);
    expect(read('X=SIGNALBOX_ATTEMPT_MARKER=x\0')).toEqual([]);
    expect(read('')).toEqual([]);
  });
});

describe('parseMemory', () => {
  it('reads current and peak size; a zombie has none', () => {
    expect(parseMemory('Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n')).toEqual({
      nowBytes: 1024 * 1024,
      peakBytes: 2048 * 1024,
    });
    expect(parseMemory('Name:\tx\nState:\tZ (zombie)\n')).toBeUndefined();
  });
});

describe('ps on macOS', () => {
  it('is read line by line', () => {
    const line = '  501   400   501 S+     1-02:03:04.50 Thu Nov 21 07:00:00 2024 /Applications/My App/agent';
    expect(parsePsLine(line)).toEqual({
      pid: 501,
      ppid: 400,
      pgid: 501,
      sid: 0,
      state: 'S',
      name: 'agent',
      startTime: String(new Date(2024, 10, 21, 7, 0, 0).getTime() / 1000),
      cpuMs: (((24 + 2) * 60 + 3) * 60 + 4.5) * 1000,
    });
    expect(parsePsLine('')).toBeUndefined();
    expect(parsePsLine('PID PPID')).toBeUndefined();
  });

  it('gives the start time of a launcher in the same form', () => {
    const record = parsePsRecord('  501 Thu Nov  1 07:00:00 2024\n');
    expect(record).toEqual({ pid: 501, startTime: String(new Date(2024, 10, 1, 7).getTime() / 1000) });
    expect(parsePsRecord('501 (sh) S 1')).toBeUndefined();
  });

  it('reads the marker after the arguments', () => {
    expect(parsePsMarkers(' 501 sleep 600 HOME=/Users/a SIGNALBOX_ATTEMPT_MARKER=m:1 LANG=C')).toEqual({
      pid: 501,
      markers: ['m:1'],
    });
    expect(parsePsMarkers('501 sleep 600')).toBeUndefined();
  });
});

describe('the exit record', () => {
  const times = '0m0.010000s 0m0.000000s\n1m2.500000s 0m0.250000s\n';

  it('counts only with its last line', () => {
    const whole = `status 3\n${times}end\n`;
    expect(parseExitRecord(whole)).toEqual({ status: 3, signalled: false, cpuMs: 62_750 });
    for (let length = 0; length < whole.length; length += 1) {
      expect(parseExitRecord(whole.slice(0, length))).toBeUndefined();
    }
  });

  it('reads times with a decimal comma, and a record without times', () => {
    expect(parseExitRecord('status 0\n0m0,000s 0m0,000s\n0m1,500s 0m0,250s\nend\n')?.cpuMs).toBe(1750);
    expect(parseExitRecord('status 0\nend\n')).toEqual({ status: 0, signalled: false });
  });

  it.each([
    ['status 0', { kind: 'exited', code: 0 }],
    ['status 143', { kind: 'exited', code: 143 }],
    ['status 143\nsignalled', { kind: 'signalled', signal: 'SIGTERM' }],
    ['status 134\nsignalled', { kind: 'signalled', signal: 'SIGABRT' }],
    ['status 165\nsignalled', { kind: 'signalled', signal: 'SIG37' }],
    ['status 130', { kind: 'signalled', signal: 'SIGINT' }],
    ['status 141', { kind: 'signalled', signal: 'SIGPIPE' }],
  ])('%j means %j', (lines, exit) => {
    const record = parseExitRecord(`${lines}\n${times}end\n`);
    expect(record && exitOf(record)).toEqual(exit);
  });
});
