import type { FailureReason } from '#lib/player/state.ts';

const WORDS: Record<FailureReason, string> = {
  network: 'the connection broke. your place is kept.',
  slow: 'no sound came for 20 seconds. your place is kept.',
  missing: 'this track could not be fetched.',
  unsupported: 'this browser cannot play this file.',
};

/** why the current track does not sound, in one short sentence. */
export function failureWords(reason: FailureReason): string {
  return WORDS[reason];
}
