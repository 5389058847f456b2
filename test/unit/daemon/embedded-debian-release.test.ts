import { describe, expect, it } from 'vitest';
import { debianMirrors, olderDebian } from '../../../src/daemon/embedded/apt.ts';

describe('olderDebian', () => {
  it.each([
    ['Debian 12', 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', 'bookworm'],
    ['Debian 13', 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n', undefined],
    ['Debian unstable', 'ID=debian\nVERSION_CODENAME=forky\n', undefined],
    ['Ubuntu', 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="10"\nVERSION_CODENAME=x\n', undefined],
    ['no os-release', '', undefined],
  ])('of %s', (_, text, expected) => {
    expect(olderDebian(text)).toBe(expected);
  });
});

describe('debianMirrors', () => {
  it('returns each mirror of the main archive once, and no other repository', () => {
    const targets = [
      'http://mirror.example/debian/ bookworm main',
      'http://mirror.example/debian/ bookworm contrib',
      'http://mirror.example/debian/ bookworm main',
      'http://mirror.example/debian/ bookworm-updates main',
      'http://mirror.example/debian-security/ bookworm-security main',
      'http://second.example/debian/ stable main',
      'https://docker.example/linux/debian/ bookworm stable',
      '',
    ].join('\n');
    expect(debianMirrors(targets, 'bookworm')).toEqual([
      'http://mirror.example/debian/',
      'http://second.example/debian/',
    ]);
  });
});
