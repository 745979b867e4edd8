/**
 * the player's rules: a plain state machine without DOM or clock.
 *
 * `step` takes a state and an event and gives the next state and what to do to the sound.
 * every load has a generation number; news of the audio element carries the generation it belongs to,
 * and news of an old load is ignored, so nothing left over can act on what plays now.
 */

/** what the player needs to know of a track; a subset of the api's Track. */
export interface PlayableTrack {
  id: number;
  title: string;
  artist: string;
  artist_handle: string;
  duration: number | null;
  r2_url: string | null;
  file_id: string;
  image_url: string | null;
  thumbnail_url: string | null;
}

/** where the list being played came from, to say so and to go back there. */
export interface PlayContext {
  label: string;
  href: string;
}

/** the source of sound is one tagged value: nothing, or one entry of a list. */
export type Source =
  | { kind: 'none' }
  | { kind: 'list'; tracks: readonly PlayableTrack[]; index: number; context: PlayContext };

export type Phase = 'idle' | 'loading' | 'playing' | 'paused' | 'stalled' | 'error';
export type FailureReason = 'network' | 'unsupported' | 'missing' | 'slow';

export interface PlayerState {
  phase: Phase;
  generation: number;
  /** whether the element holds the source's bytes; false after a reload until somebody presses play. */
  is_loaded: boolean;
  /** what the person asked for last: sound, or no sound. */
  wants_sound: boolean;
  source: Source;
  position_s: number;
  duration_s: number;
  volume: number;
  is_muted: boolean;
  failure: FailureReason | null;
}

export type PlayerEvent =
  | { kind: 'play_list'; tracks: readonly PlayableTrack[]; index: number; context: PlayContext }
  | { kind: 'extend_list'; href: string; tracks: readonly PlayableTrack[] }
  | { kind: 'play' }
  | { kind: 'pause' }
  | { kind: 'toggle' }
  | { kind: 'next' }
  | { kind: 'previous' }
  | { kind: 'seek'; to_s: number }
  | { kind: 'seek_by'; by_s: number }
  | { kind: 'volume'; to: number }
  | { kind: 'mute'; to: boolean }
  | { kind: 'retry' }
  | { kind: 'restore'; source: Source; position_s: number }
  | { kind: 'drop_track'; id: number }
  | { kind: 'media_duration'; generation: number; duration_s: number }
  | { kind: 'media_playing'; generation: number }
  | { kind: 'media_waiting'; generation: number }
  | { kind: 'media_paused'; generation: number }
  | { kind: 'media_time'; generation: number; position_s: number }
  | { kind: 'media_ended'; generation: number }
  | { kind: 'media_refused'; generation: number }
  | { kind: 'media_failed'; generation: number; reason: FailureReason };

export type Effect =
  | { kind: 'load'; generation: number; track: PlayableTrack; start_at_s: number }
  | { kind: 'unload'; generation: number }
  | { kind: 'play' }
  | { kind: 'pause' }
  | { kind: 'seek'; to_s: number }
  | { kind: 'volume'; to: number; is_muted: boolean };

export interface Step {
  state: PlayerState;
  effects: Effect[];
}

/** after this many seconds *previous* starts the same track again. */
export const RESTART_AFTER_S = 3;

/** a player that has nothing to play. */
export function idleState(volume = 1, isMuted = false): PlayerState {
  return {
    phase: 'idle',
    generation: 0,
    is_loaded: false,
    wants_sound: false,
    source: { kind: 'none' },
    position_s: 0,
    duration_s: 0,
    volume: clamp(volume, 0, 1),
    is_muted: isMuted,
    failure: null,
  };
}

/** the track that sounds or would sound, null when there is none. */
export function currentTrack(state: PlayerState): PlayableTrack | null {
  return state.source.kind === 'none' ? null : (state.source.tracks[state.source.index] ?? null);
}

/** whether something follows in the list. */
export function hasNext(state: PlayerState): boolean {
  return state.source.kind === 'list' && state.source.index + 1 < state.source.tracks.length;
}

/** one event in, the next state and the work for the audio element out. pure. */
export function step(state: PlayerState, event: PlayerEvent): Step {
  if ('generation' in event) {
    return event.generation === state.generation && state.is_loaded ? hearMedia(state, event) : { state, effects: [] };
  }
  switch (event.kind) {
    case 'play_list':
      return playList(state, event.tracks, event.index, event.context);
    case 'extend_list':
      return { state: extendList(state, event.href, event.tracks), effects: [] };
    case 'play':
      return play(state);
    case 'pause':
      return pause(state);
    case 'toggle':
      return state.wants_sound ? pause(state) : play(state);
    case 'next':
      return moveBy(state, 1);
    case 'previous':
      return state.position_s > RESTART_AFTER_S || !hasPrevious(state) ? seek(state, 0) : moveBy(state, -1);
    case 'seek':
      return seek(state, event.to_s);
    case 'seek_by':
      return seek(state, state.position_s + event.by_s);
    case 'volume':
      return setVolume(state, event.to, event.to > 0 ? false : state.is_muted);
    case 'mute':
      return setVolume(state, state.volume, event.to);
    case 'retry':
      return state.source.kind === 'none' ? { state, effects: [] } : loadAt(state, state.source, state.position_s);
    case 'restore':
      return { state: restore(state, event.source, event.position_s), effects: [] };
    case 'drop_track':
      return dropTrack(state, event.id);
  }
}

type MediaEvent = Extract<PlayerEvent, { generation: number }>;

function hearMedia(state: PlayerState, event: MediaEvent): Step {
  if (state.phase === 'error') return { state, effects: [] };
  switch (event.kind) {
    case 'media_duration': {
      const known = finite(event.duration_s) > 0 ? event.duration_s : state.duration_s;
      return { state: { ...state, duration_s: known }, effects: [] };
    }
    case 'media_playing':
      // sound that began after the person had already asked for silence is stopped, not shown
      return state.wants_sound ? inPhase(state, 'playing') : { state, effects: [{ kind: 'pause' }] };
    case 'media_waiting':
      return state.wants_sound ? inPhase(state, state.phase === 'loading' ? 'loading' : 'stalled') : { state, effects: [] };
    case 'media_paused':
      return inPhase({ ...state, wants_sound: false }, 'paused');
    case 'media_time': {
      const duration = Math.max(state.duration_s, finite(event.position_s));
      return { state: { ...state, position_s: clamp(event.position_s, 0, duration), duration_s: duration }, effects: [] };
    }
    case 'media_ended':
      return ended(state);
    case 'media_refused':
      return inPhase({ ...state, wants_sound: false }, 'paused');
    case 'media_failed':
      return { state: { ...state, phase: 'error', wants_sound: false, failure: event.reason }, effects: [{ kind: 'pause' }] };
  }
}

function playList(state: PlayerState, tracks: readonly PlayableTrack[], index: number, context: PlayContext): Step {
  if (!tracks[index]) return { state, effects: [] };
  return loadAt(state, { kind: 'list', tracks, index, context }, 0);
}

function loadAt(state: PlayerState, source: Extract<Source, { kind: 'list' }>, startAt: number): Step {
  const track = source.tracks[source.index];
  if (!track) return { state, effects: [] };
  const generation = state.generation + 1;
  const duration = Math.max(finite(track.duration ?? 0), 0);
  const position = clamp(startAt, 0, duration);
  return {
    state: {
      ...state,
      phase: 'loading',
      generation,
      is_loaded: true,
      wants_sound: true,
      source,
      position_s: position,
      duration_s: duration,
      failure: null,
    },
    effects: [{ kind: 'load', generation, track, start_at_s: position }, { kind: 'play' }],
  };
}

function play(state: PlayerState): Step {
  if (state.source.kind === 'none') return { state, effects: [] };
  if (!state.is_loaded || state.phase === 'error') return loadAt(state, state.source, state.position_s);
  if (state.wants_sound) return { state, effects: [] };
  return { state: { ...state, wants_sound: true, phase: 'loading' }, effects: [{ kind: 'play' }] };
}

function pause(state: PlayerState): Step {
  if (!state.is_loaded || state.phase === 'error') return { state: { ...state, wants_sound: false }, effects: [] };
  return { state: { ...state, wants_sound: false, phase: 'paused' }, effects: [{ kind: 'pause' }] };
}

function moveBy(state: PlayerState, by: number): Step {
  if (state.source.kind === 'none') return { state, effects: [] };
  const index = state.source.index + by;
  return state.source.tracks[index] ? loadAt(state, { ...state.source, index }, 0) : { state, effects: [] };
}

function ended(state: PlayerState): Step {
  if (hasNext(state)) return moveBy(state, 1);
  return {
    state: { ...state, phase: 'paused', wants_sound: false, position_s: 0 },
    effects: [{ kind: 'pause' }, { kind: 'seek', to_s: 0 }],
  };
}

function seek(state: PlayerState, to: number): Step {
  if (state.source.kind === 'none') return { state, effects: [] };
  const position = clamp(finite(to), 0, state.duration_s);
  const effects: Effect[] = state.is_loaded && state.phase !== 'error' ? [{ kind: 'seek', to_s: position }] : [];
  return { state: { ...state, position_s: position }, effects };
}

function setVolume(state: PlayerState, to: number, isMuted: boolean): Step {
  const volume = clamp(finite(to), 0, 1);
  return { state: { ...state, volume, is_muted: isMuted }, effects: [{ kind: 'volume', to: volume, is_muted: isMuted }] };
}

/** what was playing before a reload comes back silent and unloaded. */
function restore(state: PlayerState, source: Source, position: number): PlayerState {
  if (state.source.kind !== 'none' || source.kind === 'none' || !source.tracks[source.index]) return state;
  const duration = Math.max(finite(source.tracks[source.index]?.duration ?? 0), 0);
  return { ...state, phase: 'paused', source, position_s: clamp(position, 0, duration), duration_s: duration };
}

/** more of the same list has been fetched; what plays stays what it is. */
function extendList(state: PlayerState, href: string, tracks: readonly PlayableTrack[]): PlayerState {
  if (state.source.kind !== 'list' || state.source.context.href !== href) return state;
  const known = new Set(state.source.tracks.map((track) => track.id));
  const fresh = tracks.filter((track) => !known.has(track.id));
  return fresh.length ? { ...state, source: { ...state.source, tracks: [...state.source.tracks, ...fresh] } } : state;
}

/** a track was deleted: it leaves the list, and the sound with it when it was the one playing. */
function dropTrack(state: PlayerState, id: number): Step {
  if (state.source.kind !== 'list' || !state.source.tracks.some((track) => track.id === id)) return { state, effects: [] };
  if (currentTrack(state)?.id === id) {
    const cleared = { ...idleState(state.volume, state.is_muted), generation: state.generation + 1 };
    return { state: cleared, effects: [{ kind: 'unload', generation: cleared.generation }] };
  }
  const before = state.source.tracks.slice(0, state.source.index).filter((track) => track.id !== id).length;
  const tracks = state.source.tracks.filter((track) => track.id !== id);
  return { state: { ...state, source: { ...state.source, tracks, index: before } }, effects: [] };
}

function inPhase(state: PlayerState, phase: Phase): Step {
  return { state: state.phase === phase ? state : { ...state, phase }, effects: [] };
}

function hasPrevious(state: PlayerState): boolean {
  return state.source.kind === 'list' && state.source.index > 0;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(finite(value), low), Math.max(low, high));
}
