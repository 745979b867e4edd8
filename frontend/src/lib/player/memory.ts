import type { PlayableTrack, PlayerState, Source } from './state.ts';

const SOUND_KEY = 'plyr.sound';
const PLACE_KEY = 'plyr.place';
/** a remembered list is kept short: enough to go on, small enough to write often. */
const KEPT_TRACKS = 100;

interface Place {
  source: Source;
  position_s: number;
}

/** volume as it was left; full and unmuted when nothing is remembered. */
export function rememberedSound(): { volume: number; is_muted: boolean } {
  const kept = read(SOUND_KEY) as { volume?: unknown; is_muted?: unknown } | null;
  return {
    volume: typeof kept?.volume === 'number' ? kept.volume : 1,
    is_muted: kept?.is_muted === true,
  };
}

/** what was playing and where, null when there is nothing or it cannot be read. */
export function rememberedPlace(): Place | null {
  const kept = read(PLACE_KEY) as Place | null;
  const source = kept?.source;
  const isWhole = source?.kind === 'list' && Array.isArray(source.tracks) && typeof source.tracks[source.index]?.id === 'number';
  return kept && isWhole && typeof kept.position_s === 'number' ? kept : null;
}

export function rememberSound(state: PlayerState): void {
  write(SOUND_KEY, { volume: state.volume, is_muted: state.is_muted });
}

export function rememberPlace(state: PlayerState): void {
  if (state.source.kind === 'none') return forget(PLACE_KEY);
  const { tracks, index, context } = state.source;
  const from = Math.max(0, index - 20);
  const kept = tracks.slice(from, from + KEPT_TRACKS).map(playable);
  write(PLACE_KEY, {
    source: { kind: 'list', tracks: kept, index: index - from, context },
    position_s: Math.floor(state.position_s),
  } satisfies Place);
}

/** only what the player needs of a track. */
export function playable(track: PlayableTrack): PlayableTrack {
  const { id, title, artist, artist_handle, duration, r2_url, file_id, image_url, thumbnail_url } = track;
  return { id, title, artist, artist_handle, duration, r2_url, file_id, image_url, thumbnail_url };
}

// storage may be full or forbidden; the player works without it
function read(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    forget(key);
  }
}

function forget(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // nothing was kept, nothing to forget
  }
}
