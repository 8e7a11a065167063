import { expect, test } from 'vitest';
import { isSecretName } from '../../src/domain/secret-name.ts';

test.each([
  ...[
    'GITHUB_TOKEN',
    'GH_TOKEN',
    'NPM_TOKEN',
    'TOKEN',
    'INPUT_TOKEN',
    'SERVICE_TOKENS',
    'MYTOKEN',
    'npm_config__authToken',
  ],
  ...[
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'CLIENT_SECRET',
    'SECRET',
    'SECRET_KEY_BASE',
    'APP_SECRETS',
  ],
  ...['PGPASSWORD', 'DBPASSWORD', 'DB_PASSWORD', 'password', 'MYSQL_PWD', 'SMTP_PASS', 'KEY_PASSPHRASE'],
  ...['ROOT_PASSWD', 'REDISCLI_AUTH', 'NPM_AUTH', 'AZURE_PAT', 'GOOGLE_CREDENTIALS', 'GIT_CREDENTIAL'],
  ...['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'apiKey', 'GOOGLE_APIKEY', 'SSH_PRIVATE_KEY', 'GPG_PRIVATE_KEY'],
  ...['AZURE_STORAGE_CONNECTION_STRING', 'SLACK_WEBHOOK_URL', 'SESSION_COOKIE', 'SUPABASE_JWT', 'ACCESSKEY'],
  ...['API_KEY_2', 'TOKEN2', 'DB_PASSWORD_TEST', 'STRIPE_KEY_LIVE', 'JWT_SECRET_OLD', 'CERT_KEY_BASE64'],
])('%s is the name of a secret', (name) => {
  expect(isSecretName(name)).toBe(true);
});

test.each([
  ...['PWD', 'OLDPWD', 'PATH', 'HOME', 'KEY', 'PAT', '', '_', '__', '1'],
  ...[
    'SSH_AUTH_SOCK',
    'XAUTHORITY',
    'SSH_ASKPASS',
    'GIT_ASKPASS',
    'KEYBOARD',
    'HOTKEY',
    'XKB_DEFAULT_LAYOUT',
  ],
  ...['GPG_KEY', 'GPG_KEY_ID', 'PGP_SIGNING_KEY', 'AWS_ACCESS_KEY_ID', 'SSH_PUBLIC_KEY', 'DEPLOY_PUB_KEY'],
  ...['CACHE_KEY', 'PRIMARY_KEY', 'TOKENIZERS_PARALLELISM', 'MAX_TOKENS', 'CLAUDE_CODE_MAX_OUTPUT_TOKENS'],
  ...[
    'MAX_THINKING_TOKENS',
    'TOKEN_LIMIT',
    'TOKEN_URL',
    'SECRET_NAME',
    'CLIENT_SECRET_FILE',
    'SECRET_VERSION',
  ],
  ...['PASSWORD_STORE_DIR', 'COMPASS', 'AUTHOR', 'GIT_AUTHOR_NAME', 'PATTERN', 'MONKEY', 'KEYCHAIN_PATH'],
  ...['WEBHOOK_HOST', 'DATABASE_URL', 'GITHUB_ACTOR', 'CREDENTIALS_DIRECTORY'],
])('%s is not', (name) => {
  expect(isSecretName(name)).toBe(false);
});
