import { imageAt } from '#lib/format/image.ts';
import { currentTrack, type PlayerEvent, type PlayerState } from './state.ts';

/** show what plays to the operating system and let its keys and lock screen steer the player. */
export class SystemControls {
  #session: MediaSession | null;
  #shownId: number | null = null;

  constructor(send: (event: PlayerEvent) => void) {
    this.#session = 'mediaSession' in navigator ? navigator.mediaSession : null;
    this.#on('play', () => send({ kind: 'play' }));
    this.#on('pause', () => send({ kind: 'pause' }));
    this.#on('nexttrack', () => send({ kind: 'next' }));
    this.#on('previoustrack', () => send({ kind: 'previous' }));
    this.#on('seekbackward', (details) => send({ kind: 'seek_by', by_s: -(details.seekOffset ?? 10) }));
    this.#on('seekforward', (details) => send({ kind: 'seek_by', by_s: details.seekOffset ?? 10 }));
    this.#on('seekto', (details) => {
      if (details.seekTime !== undefined) send({ kind: 'seek', to_s: details.seekTime });
    });
  }

  /** bring the system's view in line with the player's state. */
  show(state: PlayerState): void {
    if (!this.#session) return;
    const track = currentTrack(state);
    if (track?.id !== this.#shownId) {
      this.#shownId = track?.id ?? null;
      this.#session.metadata = track
        ? new MediaMetadata({
            title: track.title,
            artist: track.artist,
            artwork: track.image_url ? [{ src: imageAt(track.image_url, 640), sizes: '640x640', type: 'image/webp' }] : [],
          })
        : null;
    }
    this.#session.playbackState = !track ? 'none' : state.wants_sound ? 'playing' : 'paused';
    if (track && state.duration_s > 0 && 'setPositionState' in this.#session) {
      this.#session.setPositionState({ duration: state.duration_s, position: state.position_s, playbackRate: 1 });
    }
  }

  #on(action: MediaSessionAction, handler: MediaSessionActionHandler): void {
    try {
      this.#session?.setActionHandler(action, handler);
    } catch {
      // a browser may not know every action
    }
  }
}
