import type { PlayerEvent } from './state.ts';

const JUMP_S = 10;
const VOLUME_STEP = 0.05;

export interface Shortcut {
  keys: readonly string[];
  label: string;
  event: (now: { volume: number; is_muted: boolean }) => PlayerEvent;
}

/** what the keyboard does anywhere outside of text fields. */
export const SHORTCUTS: readonly Shortcut[] = [
  { keys: [' '], label: 'play or pause', event: () => ({ kind: 'toggle' }) },
  { keys: ['ArrowLeft'], label: 'back 10 seconds', event: () => ({ kind: 'seek_by', by_s: -JUMP_S }) },
  { keys: ['ArrowRight'], label: 'forward 10 seconds', event: () => ({ kind: 'seek_by', by_s: JUMP_S }) },
  { keys: ['ArrowUp'], label: 'louder', event: (now) => ({ kind: 'volume', to: now.volume + VOLUME_STEP }) },
  { keys: ['ArrowDown'], label: 'softer', event: (now) => ({ kind: 'volume', to: now.volume - VOLUME_STEP }) },
  { keys: ['m', 'M'], label: 'mute', event: (now) => ({ kind: 'mute', to: !now.is_muted }) },
  { keys: ['j', 'J'], label: 'previous, or start again', event: () => ({ kind: 'previous' }) },
  { keys: ['l', 'L'], label: 'next', event: () => ({ kind: 'next' }) },
];

/** what the focused thing does with keys itself. */
export type KeyOwner = 'nobody' | 'presses_on_space' | 'takes_arrows' | 'takes_text';

/**
 * the shortcut for a key press, or null when the key belongs to somebody else.
 *
 * text fields keep every key; a focused button or link keeps Space; a slider keeps its arrows; with ctrl, alt or meta
 * the browser keeps it.
 */
export function shortcutFor(press: { key: string; hasModifier: boolean; owner: KeyOwner }): Shortcut | null {
  if (press.hasModifier || press.owner === 'takes_text') return null;
  if (press.owner === 'presses_on_space' && press.key === ' ') return null;
  if (press.owner === 'takes_arrows' && press.key.startsWith('Arrow')) return null;
  return SHORTCUTS.find((shortcut) => shortcut.keys.includes(press.key)) ?? null;
}

const NOT_TEXT = new Set(['range', 'checkbox', 'radio', 'button', 'submit', 'reset', 'file', 'color', 'image']);

/** what the focused element does with keys. */
export function keyOwner(element: Element | null): KeyOwner {
  if (!element) return 'nobody';
  if (element instanceof HTMLElement && element.isContentEditable) return 'takes_text';
  if (element.matches('textarea, select')) return 'takes_text';
  if (element instanceof HTMLInputElement) {
    if (!NOT_TEXT.has(element.type)) return 'takes_text';
    return element.type === 'range' || element.type === 'radio' ? 'takes_arrows' : 'presses_on_space';
  }
  return element.matches('button, summary, [role="button"], [role="menuitem"]') ? 'presses_on_space' : 'nobody';
}
