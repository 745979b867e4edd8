import type { Effect, FailureReason, PlayableTrack, PlayerEvent } from './state.ts';

/** how long a load or a stall may last without a byte of sound before it counts as failed. */
const SLOW_AFTER_MS = 20_000;
const TICK_MS = 250;

/**
 * the adapter between the player's rules and one <audio> element.
 *
 * listeners are made anew for each load and carry its generation, so an event of an old load can never
 * be taken for one of the new.
 */
export class AudioElement {
  #audio: HTMLAudioElement;
  #hear: (event: PlayerEvent) => void;
  #generation = 0;
  #listening = new AbortController();
  #slowTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(audio: HTMLAudioElement, hear: (event: PlayerEvent) => void) {
    this.#audio = audio;
    this.#hear = hear;
  }

  /** do what the rules ask. */
  apply(effect: Effect): void {
    switch (effect.kind) {
      case 'load':
        return this.#load(effect.generation, effect.track, effect.start_at_s);
      case 'unload':
        return this.#unload(effect.generation);
      case 'play':
        return this.#play();
      case 'pause':
        this.#expectSound(false);
        return this.#audio.pause();
      case 'seek':
        this.#audio.currentTime = effect.to_s;
        return;
      case 'volume':
        this.#audio.volume = effect.to;
        this.#audio.muted = effect.is_muted;
        return;
    }
  }

  /** stop listening and go silent. */
  close(): void {
    this.#unload(this.#generation);
  }

  #load(generation: number, track: PlayableTrack, startAt: number): void {
    this.#listen(generation);
    this.#audio.preload = 'auto';
    this.#audio.src = audioUrl(track);
    if (startAt > 0) this.#audio.currentTime = startAt;
  }

  #unload(generation: number): void {
    this.#listen(generation);
    this.#listening.abort();
    this.#audio.pause();
    this.#audio.removeAttribute('src');
    this.#audio.load();
  }

  #play(): void {
    const generation = this.#generation;
    this.#expectSound(true);
    this.#audio.play().catch((error: unknown) => {
      // AbortError: another load or a pause came in between, which has its own news
      if (error instanceof DOMException && error.name === 'NotAllowedError') {
        this.#hear({ kind: 'media_refused', generation });
      }
    });
  }

  #listen(generation: number): void {
    this.#generation = generation;
    this.#listening.abort();
    this.#listening = new AbortController();
    this.#expectSound(false);
    const audio = this.#audio;
    const on = (name: string, event: () => PlayerEvent | null) =>
      audio.addEventListener(name, () => this.#tell(event()), { signal: this.#listening.signal });

    let toldAt = 0;
    on('durationchange', () => ({ kind: 'media_duration', generation, duration_s: audio.duration }));
    on('playing', () => ({ kind: 'media_playing', generation }));
    on('waiting', () => ({ kind: 'media_waiting', generation }));
    on('pause', () => (audio.ended ? null : { kind: 'media_paused', generation }));
    on('ended', () => ({ kind: 'media_ended', generation }));
    on('seeked', () => ({ kind: 'media_time', generation, position_s: audio.currentTime }));
    on('error', () => ({ kind: 'media_failed', generation, reason: reasonOf(audio.error) }));
    on('timeupdate', () => {
      if (audio.seeking || performance.now() - toldAt < TICK_MS) return null;
      toldAt = performance.now();
      return { kind: 'media_time', generation, position_s: audio.currentTime };
    });
  }

  #tell(event: PlayerEvent | null): void {
    if (!event) return;
    if (event.kind === 'media_playing' || event.kind === 'media_failed') this.#expectSound(false);
    if (event.kind === 'media_waiting') this.#expectSound(true);
    this.#hear(event);
  }

  #expectSound(isExpected: boolean): void {
    clearTimeout(this.#slowTimer);
    if (!isExpected) return;
    const generation = this.#generation;
    this.#slowTimer = setTimeout(() => this.#hear({ kind: 'media_failed', generation, reason: 'slow' }), SLOW_AFTER_MS);
  }
}

/** where a track's bytes are: the CDN if the api names one, else the api itself on this origin. */
export function audioUrl(track: PlayableTrack): string {
  return track.r2_url ?? `/api/audio/${encodeURIComponent(track.file_id)}`;
}

function reasonOf(error: MediaError | null): FailureReason {
  if (error?.code === MediaError.MEDIA_ERR_NETWORK) return 'network';
  if (error?.code === MediaError.MEDIA_ERR_DECODE) return 'unsupported';
  return navigator.onLine ? 'missing' : 'network';
}
