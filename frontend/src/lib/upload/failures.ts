/** a failure as people read it: what happened, what was kept, what to do next. */
export interface Failure {
  code: string;
  happened: string;
  kept: string;
  next: string;
  /** what the button offers, if anything. */
  action: 'retry' | 'choose_again' | 'new_cover' | 'sign_in' | 'profile' | 'see_track' | 'edit' | 'none';
}

type Words = Omit<Failure, 'code'>;

const DRAFT_KEPT = 'your title, tags and cover are kept.';

const WORDS: Record<string, Words> = {
  empty_file: {
    happened: 'this file is empty: it holds no bytes at all.',
    kept: DRAFT_KEPT,
    next: 'choose the file again, perhaps from where it was first saved.',
    action: 'choose_again',
  },
  too_large: {
    happened: 'this file is larger than we take.',
    kept: DRAFT_KEPT,
    next: 'export it as flac, or as a shorter piece, and choose that.',
    action: 'choose_again',
  },
  not_audio: {
    happened: 'this file is not audio, whatever its name says.',
    kept: DRAFT_KEPT,
    next: 'choose the audio file itself.',
    action: 'choose_again',
  },
  truncated: {
    happened: 'this file breaks off before its end, so it cannot be played to the last second.',
    kept: DRAFT_KEPT,
    next: 'export it once more and choose the new file.',
    action: 'choose_again',
  },
  unsupported_format: {
    happened: 'we cannot play this kind of audio yet.',
    kept: DRAFT_KEPT,
    next: 'mp3, m4a, wav, flac, ogg, opus and aiff all work; export it as one of those.',
    action: 'choose_again',
  },
  duplicate: {
    happened: 'you have published this very file before.',
    kept: 'that track is untouched, and nothing was published twice.',
    next: 'open the track that is already there.',
    action: 'see_track',
  },
  image_invalid: {
    happened: 'the cover could not be read as a picture.',
    kept: 'the audio is kept, with your title and tags.',
    next: 'choose another cover, or publish without one.',
    action: 'new_cover',
  },
  provider_refused: {
    happened: 'your own server would not take the record of this track.',
    kept: 'the audio is kept here, with everything you wrote.',
    next: 'try again in a while; if it goes on, sign in anew.',
    action: 'retry',
  },
  storage_failed: {
    happened: 'our storage did not take the file.',
    kept: DRAFT_KEPT,
    next: 'try again; if the bytes are gone we will ask for the file.',
    action: 'retry',
  },
  internal: {
    happened: 'something broke on our side.',
    kept: 'nothing was published; your title, tags and cover are kept.',
    next: 'try again in a moment.',
    action: 'retry',
  },
  not_signed_in: {
    happened: 'you are signed out.',
    kept: 'what was sent so far is kept, with everything you wrote.',
    next: 'sign in and it goes on from here.',
    action: 'sign_in',
  },
  artist_profile_required: {
    happened: 'publishing needs an artist profile, and you have none yet.',
    kept: 'the audio is kept, with everything you wrote.',
    next: 'set up your profile: one name is enough.',
    action: 'profile',
  },
  invalid_request: {
    happened: 'something in the form cannot be published as it is.',
    kept: 'the audio and the form are kept.',
    next: 'correct it and publish again.',
    action: 'edit',
  },
  connection: {
    happened: 'the connection broke and did not come back.',
    kept: 'everything that arrived is kept; only the rest will be sent.',
    next: 'go on when you are online again.',
    action: 'retry',
  },
  gone: {
    happened: 'this upload waited too long and was put away.',
    kept: DRAFT_KEPT,
    next: 'choose the file again to send it anew.',
    action: 'choose_again',
  },
  over_limit: {
    happened: 'that was a lot of uploads in a short time.',
    kept: 'everything that arrived is kept.',
    next: 'wait a minute, then go on.',
    action: 'retry',
  },
};

const ALIASES: Record<string, string> = {
  api_unreachable: 'connection',
  invalid_input: 'invalid_request',
  validation_error: 'invalid_request',
  unprocessable: 'invalid_request',
  rate_limited: 'over_limit',
  upload_not_found: 'gone',
  upload_gone: 'gone',
  not_retryable: 'gone',
  connection_dropped: 'connection',
  sign_in_again: 'not_signed_in',
  cross_site: 'internal',
};

/** every code that has words of its own; a test holds this against the api's list. */
export const KNOWN_CODES: readonly string[] = Object.keys(WORDS);

/**
 * the words for an error code.
 *
 * the api's own sentence, when it says more than ours (a number, a reason), replaces what happened; an unknown code
 * reads as `internal`.
 */
export function failureFor(code: string, detail?: string | null): Failure {
  const known = ALIASES[code] ?? code;
  const words = WORDS[known] ?? WORDS.internal;
  const isOurs = !detail || known === 'internal' || known === 'connection';
  return { ...(words as Words), code: known, ...(isOurs ? {} : { happened: detail }) };
}
