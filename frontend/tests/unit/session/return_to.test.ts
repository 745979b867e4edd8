import fc from 'fast-check';
import { expect, test } from 'vitest';
import { safeReturnTo } from '#lib/features/session/return_to.ts';
import { signInTrouble } from '#lib/features/session/sign_in_errors.ts';

test.each([
  ['/upload', '/upload'],
  ['/track/1?t=3#x', '/track/1?t=3#x'],
  [null, '/'],
  ['https://evil.example', '/'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/login?error=denied', '/'],
  ['/auth/finish?exchange_token=x', '/'],
  ['/api/auth/start', '/'],
])('%s leads to %s', (wanted, path) => expect(safeReturnTo(wanted)).toBe(path));

test('no input leads to another origin', () => {
  const nasty = fc.oneof(fc.string(), fc.webUrl(), fc.string().map((rest) => `/${rest}`), fc.string().map((rest) => `//${rest}`));
  fc.assert(
    fc.property(nasty, (wanted) => {
      expect(new URL(safeReturnTo(wanted), 'http://127.0.0.1:5173').origin).toBe('http://127.0.0.1:5173');
    }),
  );
});

test('every way a sign-in can fail has its own words, and an unknown one has some', () => {
  const codes = [
    'denied',
    'expired',
    'wrong_account',
    'provider_unreachable',
    'provider_refused',
    'handle_not_found',
    'handle_unverified',
    'identity_mismatch',
    'wrong_browser',
    'invalid_request',
    'exchange_expired',
  ];
  expect(new Set(codes.map((code) => signInTrouble(code).title)).size).toBe(codes.length);
  expect(signInTrouble('who knows').text).toContain('start again');
});
