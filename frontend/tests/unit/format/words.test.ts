import fc from 'fast-check';
import { expect, test } from 'vitest';
import { imageAt, imageSet } from '#lib/format/image.ts';
import { bytes, duration, plural, shortDate, spokenDuration, titleFromFileName } from '#lib/format/words.ts';

test.each([
  [0, '0:00'],
  [7.9, '0:07'],
  [187, '3:07'],
  [3753, '1:02:33'],
  [null, '–'],
  [NaN, '–'],
])('%s seconds read as %s', (seconds, words) => expect(duration(seconds)).toBe(words));

test('a screen reader hears minutes and seconds', () => {
  expect(spokenDuration(61)).toBe('1 minute 1 second');
  expect(spokenDuration(0)).toBe('0 seconds');
});

test('bytes have one sensible unit', () => {
  expect([bytes(12), bytes(812_400), bytes(34_100_000), bytes(1_536_000_000)]).toEqual(['12 B', '812 kB', '34.1 MB', '1.54 GB']);
});

test('a date is the same everywhere, and nothing when it is none', () => {
  expect(shortDate('2026-03-14T23:59:00Z')).toBe('14 mar 2026');
  expect(shortDate('soon')).toBe('');
});

test('one is not many', () => expect([plural(1, 'track'), plural(0, 'track')]).toEqual(['1 track', '0 tracks']));

test.each([
  ['01 - night_drive.flac', 'night drive'],
  ['Artist - Title.mp3', 'Artist - Title'],
  ['a-b-c.wav', 'a b c'],
  ['1999.mp3', '1999'],
  ['7 rings.mp3', '7 rings'],
  ['.flac', '.flac'],
  ['ünter müll.opus', 'ünter müll'],
])('the file %s is called %s', (file, title) => expect(titleFromFileName(file)).toBe(title));

test('whatever a file is called, its title is not empty', () => {
  fc.assert(fc.property(fc.string({ minLength: 1 }), (name) => void expect(titleFromFileName(name)).not.toBe('')));
});

test('an image is asked for in the size it is shown', () => {
  const url = 'http://127.0.0.1/api/images/abc/1200.webp';
  expect(imageAt(url, 96)).toBe('http://127.0.0.1/api/images/abc/96.webp');
  expect(imageSet(url)).toContain('/320.webp 320w');
  expect(imageSet('https://elsewhere.example/me.png')).toBeUndefined();
});
