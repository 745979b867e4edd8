// runs the browser tests against the whole product: a fresh stack around them, unless PLYR_URL says that one is up
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const frontend = join(dirname(fileURLToPath(import.meta.url)), '..');
const root = join(frontend, '..');
const playwright = [process.execPath, join(frontend, 'node_modules', '@playwright', 'test', 'cli.js'), 'test', ...process.argv.slice(2)];

/** @param {string[]} words @param {string} cwd */
function run(words, cwd) {
  const [command = '', ...rest] = words;
  const { status, error } = spawnSync(command, rest, { cwd, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
}

if (process.env.PLYR_URL) process.exit(run(playwright, frontend));

const python = join(root, '.venv', 'bin', 'python');
if (!existsSync(python)) {
  console.error('the browser tests need the whole product set up: run ./just test, or ./just frontend e2e, from the repository root');
  process.exit(2);
}
const built = run([process.execPath, join(frontend, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], frontend);
if (built !== 0) process.exit(built);
// --config: the stack starts its command in the repository's root
process.exit(run([python, '-m', 'devstack', 'during', '--', ...playwright, '--config', join(frontend, 'playwright.config.ts')], root));
