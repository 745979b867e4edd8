/** keeps one tab sounding: whoever starts says so, everybody else falls silent. */
export class OneSoundingTab {
  #channel: BroadcastChannel | null;

  constructor(onOtherTabSounds: () => void) {
    this.#channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('plyr.sound') : null;
    if (this.#channel) this.#channel.onmessage = () => onOtherTabSounds();
  }

  /** this tab sounds now. */
  claim(): void {
    this.#channel?.postMessage('sounding');
  }

  close(): void {
    this.#channel?.close();
  }
}
