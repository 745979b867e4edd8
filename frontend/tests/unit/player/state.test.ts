import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  currentTrack,
  idleState,
  step,
  type Effect,
  type PlayableTrack,
  type PlayerEvent,
  type PlayerState,
} from '#lib/player/state.ts';

const context = { label: 'latest', href: '/' };

function track(id: number, duration: number | null = 200): PlayableTrack {
  return {
    id,
    title: `piece ${id}`,
    artist: 'alice',
    artist_handle: 'alice.test',
    duration,
    r2_url: null,
    file_id: `f${id}`,
    image_url: null,
    thumbnail_url: null,
  };
}

function run(events: PlayerEvent[], from: PlayerState = idleState()): { state: PlayerState; effects: Effect[] } {
  const effects: Effect[] = [];
  const state = events.reduce((before, event) => {
    const after = step(before, event);
    effects.push(...after.effects);
    return after.state;
  }, from);
  return { state, effects };
}

const anyNumber = fc.oneof(fc.double({ min: -1e4, max: 1e4 }), fc.constantFrom(NaN, Infinity, -Infinity));
const someTracks = fc.array(fc.integer({ min: 1, max: 6 }).map((id) => track(id)), { minLength: 1, maxLength: 6 });
const command: fc.Arbitrary<PlayerEvent> = fc.oneof(
  fc.record({ kind: fc.constant('play_list' as const), tracks: someTracks, index: fc.integer({ min: -1, max: 6 }), context: fc.constant(context) }),
  fc.record({ kind: fc.constant('extend_list' as const), href: fc.constantFrom('/', '/u/x'), tracks: someTracks }),
  fc.constantFrom<PlayerEvent>({ kind: 'play' }, { kind: 'pause' }, { kind: 'toggle' }, { kind: 'next' }, { kind: 'previous' }, { kind: 'retry' }),
  fc.record({ kind: fc.constant('seek' as const), to_s: anyNumber }),
  fc.record({ kind: fc.constant('seek_by' as const), by_s: anyNumber }),
  fc.record({ kind: fc.constant('volume' as const), to: anyNumber }),
  fc.record({ kind: fc.constant('mute' as const), to: fc.boolean() }),
  fc.record({ kind: fc.constant('drop_track' as const), id: fc.integer({ min: 1, max: 6 }) }),
);
const mediaNews: fc.Arbitrary<PlayerEvent> = fc.oneof(
  ...(['media_playing', 'media_waiting', 'media_paused', 'media_ended', 'media_refused'] as const).map((kind) =>
    fc.record({ kind: fc.constant(kind), generation: fc.integer({ min: 0, max: 8 }) }),
  ),
  fc.record({ kind: fc.constant('media_time' as const), generation: fc.integer({ min: 0, max: 8 }), position_s: anyNumber }),
  fc.record({ kind: fc.constant('media_duration' as const), generation: fc.integer({ min: 0, max: 8 }), duration_s: anyNumber }),
  fc.record({ kind: fc.constant('media_failed' as const), generation: fc.integer({ min: 0, max: 8 }), reason: fc.constant('network' as const) }),
);
const anyEvent = fc.oneof(command, mediaNews);

describe('the player, whatever happens to it', () => {
  test('keeps position, duration and volume finite and in range, and the index inside its list', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        const { state } = run(events);
        expect(Number.isFinite(state.position_s) && Number.isFinite(state.duration_s)).toBe(true);
        expect(state.position_s).toBeGreaterThanOrEqual(0);
        expect(state.position_s).toBeLessThanOrEqual(state.duration_s);
        expect(state.volume).toBeGreaterThanOrEqual(0);
        expect(state.volume).toBeLessThanOrEqual(1);
        if (state.source.kind === 'list') expect(state.source.tracks[state.source.index]).toBeDefined();
        expect(state.phase === 'idle').toBe(state.source.kind === 'none');
        expect(state.phase === 'error').toBe(state.failure !== null);
      }),
    );
  });

  test('never listens to news of an old load', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), mediaNews, (events, news) => {
        const { state } = run(events);
        if ('generation' in news && news.generation !== state.generation) {
          const after = step(state, news);
          expect(after.state).toBe(state);
          expect(after.effects).toEqual([]);
        }
      }),
    );
  });

  test('gives each load a fresh generation and names the track it shows', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        let state = idleState();
        for (const event of events) {
          const after = step(state, event);
          for (const effect of after.effects) {
            if (effect.kind !== 'load') continue;
            expect(effect.generation).toBeGreaterThan(state.generation);
            expect(effect.generation).toBe(after.state.generation);
            expect(effect.track).toBe(currentTrack(after.state));
          }
          state = after.state;
        }
      }),
    );
  });

  test('asks for sound only when the person wants it', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        let state = idleState();
        for (const event of events) {
          const after = step(state, event);
          if (after.effects.some((effect) => effect.kind === 'play')) expect(after.state.wants_sound).toBe(true);
          if (after.state.phase === 'playing') expect(after.state.wants_sound).toBe(true);
          state = after.state;
        }
      }),
    );
  });
});

describe('with an element that answers late', () => {
  /** a stand-in that keeps the element's own rules: what was asked is answered some events later, in order. */
  function elementAfter(effects: Effect[], element: { url: number | null; is_sounding: boolean }) {
    for (const effect of effects) {
      if (effect.kind === 'load') Object.assign(element, { url: effect.track.id, is_sounding: false });
      if (effect.kind === 'unload') Object.assign(element, { url: null, is_sounding: false });
      if (effect.kind === 'play' && element.url !== null) element.is_sounding = true;
      if (effect.kind === 'pause') element.is_sounding = false;
    }
  }

  test('what sounds, and whether it sounds, agrees with what is shown', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(command, fc.boolean()), { maxLength: 50 }), (plan) => {
        const element = { url: null as number | null, is_sounding: false };
        let state = idleState();
        const take = (event: PlayerEvent) => {
          const after = step(state, event);
          elementAfter(after.effects, element);
          state = after.state;
        };
        for (const [event, answersNow] of plan) {
          take(event);
          if (answersNow && element.is_sounding) take({ kind: 'media_playing', generation: state.generation });
        }
        expect(element.is_sounding).toBe(state.wants_sound);
        if (element.is_sounding) expect(element.url).toBe(currentTrack(state)?.id);
      }),
    );
  });
});

describe('playing', () => {
  const tracks = [track(1), track(2), track(3)];
  const playSecond: PlayerEvent = { kind: 'play_list', tracks, index: 1, context };

  test('a row starts it and what follows comes after it', () => {
    const { state, effects } = run([playSecond, { kind: 'media_playing', generation: 1 }]);
    expect(state.phase).toBe('playing');
    expect(effects).toContainEqual({ kind: 'load', generation: 1, track: tracks[1], start_at_s: 0 });
    const later = run([{ kind: 'media_ended', generation: 1 }], state);
    expect(currentTrack(later.state)?.id).toBe(3);
    expect(later.effects.map((effect) => effect.kind)).toEqual(['load', 'play']);
  });

  test('the last track ends in silence at its beginning', () => {
    const { state } = run([{ ...playSecond, index: 2 }, { kind: 'media_ended', generation: 1 }]);
    expect(state).toMatchObject({ phase: 'paused', wants_sound: false, position_s: 0 });
  });

  test('previous restarts after three seconds and goes back before', () => {
    const playing = run([playSecond, { kind: 'media_time', generation: 1, position_s: 9 }]).state;
    expect(currentTrack(step(playing, { kind: 'previous' }).state)?.id).toBe(2);
    const early = run([playSecond, { kind: 'media_time', generation: 1, position_s: 2 }]).state;
    expect(currentTrack(step(early, { kind: 'previous' }).state)?.id).toBe(1);
  });

  test('a reload never starts audio; play goes on where it was', () => {
    const restored = run([{ kind: 'restore', source: { kind: 'list', tracks, index: 1, context }, position_s: 42 }]);
    expect(restored.effects).toEqual([]);
    expect(restored.state).toMatchObject({ phase: 'paused', is_loaded: false, position_s: 42 });
    expect(run([{ kind: 'play' }], restored.state).effects).toContainEqual({
      kind: 'load',
      generation: 1,
      track: tracks[1],
      start_at_s: 42,
    });
  });

  test('a failed track is quiet, says so, and can be tried again from where it was', () => {
    const failed = run([
      playSecond,
      { kind: 'media_time', generation: 1, position_s: 30 },
      { kind: 'media_failed', generation: 1, reason: 'network' },
    ]).state;
    expect(failed).toMatchObject({ phase: 'error', failure: 'network', wants_sound: false });
    const retried = run([{ kind: 'retry' }], failed);
    expect(retried.state).toMatchObject({ phase: 'loading', failure: null });
    expect(retried.effects).toContainEqual({ kind: 'load', generation: 2, track: tracks[1], start_at_s: 30 });
  });

  test('a play that the browser refuses is shown as paused', () => {
    expect(run([playSecond, { kind: 'media_refused', generation: 1 }]).state.phase).toBe('paused');
  });

  test('raising the volume takes the mute away; zero does not', () => {
    const muted = run([{ kind: 'mute', to: true }]).state;
    expect(step(muted, { kind: 'volume', to: 0.4 }).state).toMatchObject({ is_muted: false, volume: 0.4 });
    expect(step(muted, { kind: 'volume', to: 0 }).state.is_muted).toBe(true);
  });
});
