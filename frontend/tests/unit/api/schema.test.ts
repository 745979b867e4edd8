import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const frontend = join(import.meta.dirname, '..', '..', '..');
const hasBackend = existsSync(join(frontend, '..', '.venv', 'bin', 'python'));

test.skipIf(!hasBackend)('the generated client is what the backend describes today', () => {
  const said = execFileSync(process.execPath, [join(frontend, 'scripts', 'api_types.js'), '--check'], { encoding: 'utf8', stdio: 'pipe' });
  expect(said).toContain('fresh');
});
