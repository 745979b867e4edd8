import { getContext, setContext } from 'svelte';
import { AudioElement } from './audio_element.ts';
import { SystemControls } from './media_session.ts';
import { playable, rememberedPlace, rememberedSound, rememberPlace, rememberSound } from './memory.ts';
import { currentTrack, hasNext, idleState, step, type PlayableTrack, type PlayContext, type PlayerEvent } from './state.ts';
import { OneSoundingTab } from './tabs.ts';

const CONTEXT_KEY = Symbol('player');
const REMEMBER_EVERY_S = 5;

/** the player as components see it: readable state, and `send` for what people do. */
export class Player {
  #state = $state.raw(idleState());
  #element: AudioElement | null = null;
  #system: SystemControls | null = null;
  #tabs: OneSoundingTab | null = null;
  #rememberedAt = 0;
  #isElsewhere = $state(false);

  get state() {
    return this.#state;
  }

  track = $derived(currentTrack(this.#state));
  hasNext = $derived(hasNext(this.#state));
  /** true when the person wants sound, whether or not it has begun. */
  isOn = $derived(this.#state.wants_sound);
  isWaiting = $derived(this.#state.wants_sound && (this.#state.phase === 'loading' || this.#state.phase === 'stalled'));

  /** true while another tab took over the sound. */
  get isElsewhere() {
    return this.#isElsewhere;
  }

  /** whether this very track is the one in the player. */
  holds(trackId: number): boolean {
    return this.track?.id === trackId;
  }

  send(event: PlayerEvent): void {
    const before = this.#state;
    const { state, effects } = step(before, event);
    this.#state = state;
    for (const effect of effects) this.#element?.apply(effect);
    if (state === before) return;
    if (state.phase === 'playing' && before.phase !== 'playing') {
      this.#isElsewhere = false;
      this.#tabs?.claim();
    }
    this.#system?.show(state);
    this.#remember(before.source !== state.source || before.phase !== state.phase);
    if (before.volume !== state.volume || before.is_muted !== state.is_muted) rememberSound(state);
  }

  /** play row `index` of a list and what follows; on the row that is already in the player: play or pause. */
  playFrom(tracks: readonly PlayableTrack[], index: number, context: PlayContext): void {
    const wanted = tracks[index];
    if (wanted && this.holds(wanted.id) && this.#state.phase !== 'error') this.send({ kind: 'toggle' });
    else this.send({ kind: 'play_list', tracks: tracks.map(playable), index, context });
  }

  /** connect to the page's audio element; returns what undoes it. */
  attach(audio: HTMLAudioElement): () => void {
    const sound = rememberedSound();
    this.#element = new AudioElement(audio, (event) => this.send(event));
    this.#system = new SystemControls((event) => this.send(event));
    this.#tabs = new OneSoundingTab(() => {
      if (!this.#state.wants_sound) return;
      this.send({ kind: 'pause' });
      this.#isElsewhere = true;
    });
    this.send({ kind: 'volume', to: sound.volume });
    this.send({ kind: 'mute', to: sound.is_muted });
    const place = rememberedPlace();
    if (place) this.send({ kind: 'restore', ...place });
    const keep = () => this.#remember(true);
    addEventListener('pagehide', keep);
    return () => {
      removeEventListener('pagehide', keep);
      this.#element?.close();
      this.#tabs?.close();
    };
  }

  #remember(isUrgent: boolean): void {
    const isFar = Math.abs(this.#state.position_s - this.#rememberedAt) >= REMEMBER_EVERY_S;
    if (!this.#element || (!isUrgent && !isFar)) return;
    this.#rememberedAt = this.#state.position_s;
    rememberPlace(this.#state);
  }
}

/** make the page's player; once, in the root layout. */
export function providePlayer(): Player {
  return setContext(CONTEXT_KEY, new Player());
}

/** the player of this page. */
export function usePlayer(): Player {
  return getContext<Player>(CONTEXT_KEY);
}
