import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nameRule, secretsAmong, variablesOf } from '../../src/secrets/find-secrets.ts';
import { acceptanceCommand, commandStep, runStep, workstream } from '../kit/definitions.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const plain = nameRule({ names: [], keep: [] });

const valuesOf = (variables: Record<string, string | undefined>, rule = plain): string[] =>
  secretsAmong(variables, rule).map(({ value }) => value);

test('a secret has the name of its variable', () => {
  expect(secretsAmong({ API_KEY: ' abcdefgh\n', HOME: '/home/someone', A_TOKEN: undefined }, plain)).toEqual([
    { name: 'API_KEY', value: 'abcdefgh' },
  ]);
});

test.each(['', '1234567', 'password', 'Postgres', 'disabled', '********', 'xxxxxxxxxxxx'])(
  '"%s" is no secret',
  (value) => {
    expect(valuesOf({ API_KEY: value, URL: `x://u:${value}@h` })).toEqual([]);
  },
);

test.each([
  ['https://ghp_abcdefghij0123456789@github.com/x/y.git', ['ghp_abcdefghij0123456789']],
  ['https://supersecretvalue123:x-oauth-basic@github.com/x', ['x-oauth-basic', 'supersecretvalue123']],
  ['https://supersecretvalue123:@github.com/x', ['supersecretvalue123']],
  ['https://abcdefghijklmnopqrst@host', ['abcdefghijklmnopqrst']],
  ['https://administrator@host', []],
  ['ssh://longusername123@host', []],
])('the token in %s', (url, tokens) => {
  expect(valuesOf({ REPOSITORY_URL: url })).toEqual(tokens);
});

test('the path of a file is no secret, and what only looks like one is', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'service-account.json');
  writeFileSync(file, '{}');
  mkdirSync(join(folder, 'abcdefgh'));
  const missing = join(folder, 'ab/cd+ef==');
  expect(valuesOf({ GOOGLE_APPLICATION_CREDENTIALS: file, OTHER_CREDENTIALS: missing })).toEqual([missing]);
});

test('of several lines those that say something are secret', () => {
  const PRIVATE_KEY = '-----BEGIN KEY-----\r\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\nAASC\n-----END KEY-----\n';
  expect(valuesOf({ PRIVATE_KEY })).toEqual(['MIIEvQIBADANBg', 'kqhkiG9w0BAQEF']);
});

test('of a JSON object the fields that are called like secrets are secret', () => {
  const key = {
    type: 'service_account',
    private_key: '-----BEGIN-----\nMIIEvQIBADANBg\n',
    project_id: 'project-1',
  };
  const text = JSON.stringify(key);
  expect(valuesOf({ GOOGLE_CREDENTIALS: text })).toEqual([text, 'MIIEvQIBADANBg']);
  expect(valuesOf({ GOOGLE_CREDENTIALS: JSON.stringify(key, null, 2) })).toEqual(['MIIEvQIBADANBg']);
  expect(valuesOf({ A_TOKEN: '{abcdefgh' })).toEqual(['{abcdefgh']);
});

test.each([
  ['postgres://app:hunter2hunter2@db:5432/x', ['hunter2hunter2']],
  ['amqp://:abcdefgh@host', ['abcdefgh']],
  ['https://a:p%40ssw0rd@one https://b:12345678@two', ['p%40ssw0rd', 'p@ssw0rd', '12345678']],
  ['https://a:100%-wrong@one', ['100%-wrong']],
  ['https://host:8080/path@x', []],
  ['https://user@host/path', []],
  ['postgres://app:short@db', []],
])('the passwords in %s', (value, passwords) => {
  expect(valuesOf({ DATABASE_URL: value })).toEqual(passwords);
});

test('the configuration adds names, and takes out those and others', () => {
  const rule = nameRule({ names: ['licence_*', 'SESSION'], keep: ['*_URL', 'LICENCE_ID'] });
  const value = 'abcdefgh';
  const variables = {
    LICENCE_TEXT: value,
    LICENCE_ID: value,
    Session: value,
    SESSION_2: value,
    A_TOKEN: value,
  };
  expect(
    secretsAmong({ ...variables, A_WEBHOOK_URL: `x://u:${value}@h` }, rule).map(({ name }) => name),
  ).toEqual(['LICENCE_TEXT', 'Session', 'A_TOKEN']);
  expect(valuesOf(variables, nameRule({ names: ['*'], keep: ['*'] }))).toEqual([]);
});

test('definitions give variables to steps, tests and compensation, and have fields that are kept', () => {
  const definition = workstream('ws-a', [runStep('true', { env: { A: '1' } }), runStep('true')], {
    acceptanceTests: [acceptanceCommand('true', { env: { B: '2' } }), { kind: 'text', text: 'prose' }],
    compensation: [commandStep(['true'], { env: { C: '3' } })],
    extra: { metadata: { D: ['4', { E: '5' }], F: 6 } },
  });
  expect(Object.assign({}, ...variablesOf([definition]))).toEqual({ A: '1', B: '2', C: '3', D: '4', E: '5' });
});
