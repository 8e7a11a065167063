import { describe, expect, test } from 'vitest';
import { hasPublicLimits, placeOf } from '../../src/github/place.ts';

const found = (remoteUrl: string | null, env: NodeJS.ProcessEnv = {}, repository: string | null = null) =>
  placeOf({ repository, remoteUrl, env });

describe('the repository that is meant', () => {
  test.each([
    'https://github.com/acme/widgets.git',
    'https://github.com/acme/widgets',
    'https://user:password@github.com/acme/widgets.git/',
    'git@github.com:acme/widgets.git',
    'ssh://git@github.com/acme/widgets.git',
    'ssh://git@ssh.github.com:443/acme/widgets.git',
    'git://github.com/acme/widgets.git',
  ])('is that of the remote %s', (address) => {
    expect(found(address)).toEqual({
      apiUrl: 'https://api.github.com',
      owner: 'acme',
      name: 'widgets',
      key: 'github.com/acme/widgets',
    });
  });

  test('is on GitHub Enterprise where GITHUB_API_URL says so', () => {
    const env = { GITHUB_API_URL: 'https://git.example.com/api/v3/' };
    expect(found('git@git.example.com:acme/widgets.git', env)).toMatchObject({
      apiUrl: 'https://git.example.com/api/v3',
      key: 'git.example.com/acme/widgets',
    });
  });

  test('is the one that a person names before that of the remote, and that before the one of Actions', () => {
    const env = { GITHUB_REPOSITORY: 'from/actions' };
    expect(found('https://github.com/acme/widgets', env, 'by/hand')).toMatchObject({ owner: 'by' });
    expect(found('https://github.com/acme/widgets', env)).toMatchObject({ owner: 'acme' });
    expect(found('/srv/git/widgets.git', env)).toMatchObject({ owner: 'from' });
  });
});

describe('no repository is meant, and no token sent,', () => {
  test.each([
    ['by a remote on another host', 'https://gitlab.com/acme/widgets.git', {}, null],
    [
      'by a remote of github.com for another API',
      'https://github.com/acme/widgets',
      { GITHUB_API_URL: 'https://git.example.com/api/v3' },
      null,
    ],
    ['by a folder', '/srv/git/widgets.git', {}, null],
    ['without a remote', null, {}, null],
    ['by a name that is none', null, {}, 'only-a-name'],
    ['by a name that leads elsewhere', null, {}, 'acme/widgets/../../other'],
    [
      'where the API has no encryption',
      'https://github.com/a/b',
      { GITHUB_API_URL: 'http://git.example.com' },
      null,
    ],
    ['where the API is no address', 'https://github.com/a/b', { GITHUB_API_URL: 'nonsense' }, null],
  ])('%s', (_, remote, env, name) => {
    expect(found(remote, env, name)).toEqual(expect.any(String));
  });
});

test('only the public GitHub has documented limits', () => {
  const at = (apiUrl: string): boolean => hasPublicLimits({ apiUrl, owner: 'a', name: 'b', key: 'k' });
  expect(
    ['https://api.github.com', 'https://api.acme.ghe.com', 'https://git.example.com/api/v3'].map(at),
  ).toEqual([true, true, false]);
});
