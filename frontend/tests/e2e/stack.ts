import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';

/** where the stack under test is; `npm run test:e2e` starts one and sets these. */
export const stack = {
  web: needed('PLYR_URL'),
  pds: needed('PLYR_PDS_URL'),
  password: needed('PLYR_PASSWORD'),
};

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the browser tests with \`npm run test:e2e\``);
  return value.replace(/\/+$/, '');
}

/** a tone in a wave file: 16 bit, mono. `hz` makes each file another file. */
export function wave({ seconds = 4, hz = 440, rate = 22_050 } = {}): Buffer {
  const count = Math.floor(seconds * rate);
  const file = Buffer.alloc(44 + count * 2);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + count * 2, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(count * 2, 40);
  for (let i = 0; i < count; i++) file.writeInt16LE(Math.round(Math.sin((i * hz * 2 * Math.PI) / rate) * 11_000), 44 + i * 2);
  return file;
}

/** a flac file of one tone, made with the audio tools of the development stack; each `hz` is another file. */
export function flac({ seconds = 20, hz = 440 } = {}): Buffer {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
  const file = join(mkdtempSync(join(tmpdir(), 'plyr-e2e-')), 'tone.flac');
  const script = `from pathlib import Path; from devstack.audio import encode, tone; encode(tone(${seconds}, hz=${hz}), Path(${JSON.stringify(file)}))`;
  execFileSync(join(root, '.venv', 'bin', 'python'), ['-c', script], { cwd: root });
  return readFileSync(file);
}

/** a wave file of about this size; always another one. */
export function noise(megabytes: number): Buffer {
  const file = wave({ seconds: (megabytes * 1_000_000) / 2 / 44_100, rate: 44_100 });
  randomBytes(4_096).copy(file, 44);
  return file;
}

/** a square png of one colour, with a lighter disc. */
export function cover(side = 600, [r, g, b] = [40, 70, 90]): Buffer {
  const rows = Buffer.alloc(side * (1 + side * 3));
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const isDisc = Math.hypot(x - side * 0.62, y - side * 0.4) < side * 0.24;
      const at = y * (1 + side * 3) + 1 + x * 3;
      rows[at] = isDisc ? 240 : (r ?? 0) + Math.floor((60 * y) / side);
      rows[at + 1] = isDisc ? 200 : (g ?? 0);
      rows[at + 2] = isDisc ? 110 : (b ?? 0);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
