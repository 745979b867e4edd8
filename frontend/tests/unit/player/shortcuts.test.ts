import { expect, test } from 'vitest';
import { shortcutFor, type KeyOwner } from '#lib/player/shortcuts.ts';

const press = (key: string, owner: KeyOwner = 'nobody', hasModifier = false) =>
  shortcutFor({ key, owner, hasModifier })?.event({ volume: 0.5, is_muted: false }) ?? null;

test.each([
  [' ', { kind: 'toggle' }],
  ['ArrowLeft', { kind: 'seek_by', by_s: -10 }],
  ['ArrowRight', { kind: 'seek_by', by_s: 10 }],
  ['ArrowUp', { kind: 'volume', to: 0.55 }],
  ['ArrowDown', { kind: 'volume', to: 0.45 }],
  ['m', { kind: 'mute', to: true }],
  ['j', { kind: 'previous' }],
  ['L', { kind: 'next' }],
])('%s does what it says', (key, event) => expect(press(key)).toEqual(event));

test('text fields keep every key', () => {
  for (const key of [' ', 'm', 'ArrowLeft', 'l']) expect(press(key, 'takes_text')).toBeNull();
});

test('space presses a focused button; the other keys still steer the player', () => {
  expect(press(' ', 'presses_on_space')).toBeNull();
  expect(press('m', 'presses_on_space')).toEqual({ kind: 'mute', to: true });
});

test('a slider keeps its arrows and leaves the rest', () => {
  expect(press('ArrowUp', 'takes_arrows')).toBeNull();
  expect(press(' ', 'takes_arrows')).toEqual({ kind: 'toggle' });
});

test('with ctrl, alt or meta the browser keeps the key', () => expect(press('l', 'nobody', true)).toBeNull());
