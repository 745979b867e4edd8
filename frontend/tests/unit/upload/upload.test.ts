import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addTags, isSameFile, MAX_TAGS } from '#lib/upload/draft.ts';
import { failureFor, KNOWN_CODES } from '#lib/upload/failures.ts';
import { fractionOf, Speedometer, statusOf, type ServerView } from '#lib/upload/progress.ts';

const server = (status: ServerView['status'], phase: string, pct = 0): ServerView => ({ status, phase, server_progress_pct: pct });

describe('what an upload is doing', () => {
  const base = { hasFailed: false, transfer: 'done' as const, isPublishRequested: true, server: null };

  test.each([
    [{ ...base, transfer: 'sending' as const }, 'sending'],
    [{ ...base, transfer: 'waiting' as const }, 'sending'],
    [{ ...base, transfer: 'needs_file' as const }, 'needs_file'],
    [{ ...base, isPublishRequested: false }, 'ready'],
    [base, 'processing'],
    [{ ...base, server: server('processing', 'waiting_for_sign_in') }, 'waiting_for_sign_in'],
    [{ ...base, server: server('completed', 'live') }, 'live'],
    [{ ...base, server: server('failed', 'checking') }, 'failed'],
    [{ ...base, hasFailed: true }, 'failed'],
  ])('%j is %s', (job, status) => expect(statusOf(job)).toBe(status));

  test('its bar is within bounds, and full only when the track is live', () => {
    const anyServer = fc.option(
      fc.record({
        status: fc.constantFrom('pending' as const, 'processing' as const, 'failed' as const),
        phase: fc.string(),
        server_progress_pct: fc.double({ min: -50, max: 500, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(1000), anyServer, (sentBytes, sizeBytes, view) => {
        const fraction = fractionOf({ sentBytes, sizeBytes, status: 'processing', server: view });
        expect(fraction).toBeGreaterThanOrEqual(0);
        expect(fraction).toBeLessThan(1);
      }),
    );
    expect(fractionOf({ sentBytes: 0, sizeBytes: 0, status: 'live', server: null })).toBe(1);
  });
});

test('every failure the api can name has words that say what happened, what was kept and what to do', () => {
  const codes = [
    'empty_file',
    'too_large',
    'not_audio',
    'truncated',
    'unsupported_format',
    'duplicate',
    'image_invalid',
    'provider_refused',
    'storage_failed',
    'internal',
  ];
  expect(KNOWN_CODES).toEqual(expect.arrayContaining(codes));
  for (const code of [...codes, 'something new']) {
    const failure = failureFor(code);
    for (const words of [failure.happened, failure.kept, failure.next]) expect(words.length).toBeGreaterThan(10);
  }
});

test("the api's own reason is shown where it says more than ours", () => {
  expect(failureFor('too_large', 'at most 1536 MB are accepted').happened).toContain('1536');
  expect(failureFor('internal', 'Traceback: …').happened).not.toContain('Traceback');
  expect(failureFor('api_unreachable', 'x').code).toBe('connection');
});

describe('tags', () => {
  test('are lowercase, trimmed, without doubles, and at most ten', () => {
    expect(addTags(['live'], ' Live, #Ambient ,, two  words')).toEqual(['live', 'ambient', 'two words']);
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string(), (tags, typed) => {
        const all = addTags(tags, typed);
        expect(all.length).toBeLessThanOrEqual(MAX_TAGS);
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });
});

test('a file chosen again is known by name, size and time', () => {
  const file = new File(['abc'], 'a.wav', { lastModified: 5 });
  const kept = { file_name: 'a.wav', size_bytes: 3, last_modified: 5 };
  expect(isSameFile(kept, file)).toBe(true);
  expect(isSameFile({ ...kept, size_bytes: 4 }, file)).toBe(false);
  expect(isSameFile({ ...kept, last_modified: 6 }, file)).toBe(false);
});

test('speed is known after half a second and forgets the past', () => {
  const speed = new Speedometer();
  speed.note(0, 0);
  expect(speed.bytesPerSecond).toBeNull();
  speed.note(1_000, 1_000);
  expect(speed.bytesPerSecond).toBe(1_000);
  for (let at = 2_000; at <= 12_000; at += 1_000) speed.note(at * 3, at);
  expect(speed.bytesPerSecond).toBeCloseTo(3_000);
});
