/** What agents write into a repository does not lead Signalbox to run it, or elsewhere. */
import { existsSync } from 'node:fs';
import { chmod, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AT, GitLab, merging } from '../../support/workspaces/git-lab.ts';
import { writeFiles } from '../../support/workspaces/repository.ts';

describe('what an agent wrote into the repository', () => {
  it('is never executed: hooks, file system monitor, filters, drivers, editors', async () => {
    await using lab = await GitLab.create();
    const { repository, workspaces } = lab;
    const made = await lab.make('t1');
    const trap = join(repository.directory, 'trap');
    const evil = join(repository.directory, 'evil.sh');
    await writeFile(evil, `#!/bin/sh\necho "$0 $*" >> ${trap}\n`);
    await chmod(evil, 0o755);
    const names = ['post-checkout', 'reference-transaction', 'post-merge', 'pre-commit', 'post-index-change'];
    for (const hook of names) await symlink(evil, join(repository.path, '.git/hooks', hook));
    for (const key of ['filter.x.clean', 'filter.x.smudge', 'filter.x.process', 'merge.x.driver'])
      await repository.git('config', key, evil);
    for (const key of ['core.fsmonitor', 'diff.external', 'diff.x.textconv', 'diff.x.command', 'core.editor'])
      await repository.git('config', key, evil);
    for (const key of ['core.pager', 'gpg.program', 'core.sshCommand', 'core.alternateRefsCommand'])
      await repository.git('config', key, evil);
    await repository.git('config', 'commit.gpgSign', 'true');
    await writeFiles(made.path, {
      '.gitattributes': '* filter=x diff=x merge=x\n',
      'a.txt': 'one\n2\nthree\n',
    });
    await writeFile(join(repository.path, '.git/info/attributes'), '* filter=x diff=x merge=x\n');
    const diff = await workspaces.takeDiff(made, AT);
    expect(diff?.text).toContain('+2\n');
    await workspaces.release(made);
    expect(await workspaces.merge(made, merging(diff?.commit ?? ''))).toMatchObject({ kind: 'merged' });
    expect(await lab.make('t2')).toMatchObject({ target: 'main' });
    expect(await workspaces.remove(made, { discard: false })).toBeNull();
    expect(existsSync(trap)).toBe(false);
    // The trap works: git as a user runs it falls into it.
    await repository.git('checkout', '--quiet', '-b', 'other').catch(() => {});
    expect(existsSync(trap)).toBe(true);
  });

  it('cannot lead Signalbox elsewhere by the link of its worktree', async () => {
    await using lab = await GitLab.create();
    const { repository, workspaces } = lab;
    const made = await lab.make('t1');
    await writeFiles(made.path, { 'b.txt': 'b\n' });
    await writeFile(join(made.path, '.git'), `gitdir: ${repository.directory}/elsewhere\n`);
    expect(await workspaces.takeDiff(made, AT)).toMatchObject({ files: 1, insertions: 1 });
    await rm(made.path, { recursive: true });
    await symlink(repository.path, made.path);
    await expect(workspaces.takeDiff(made, AT)).rejects.toThrow('is no directory any more');
    expect(await workspaces.reasonToKeep(made)).toContain('is no directory any more');
  });
});
