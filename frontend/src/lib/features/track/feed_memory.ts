import { getContext, setContext } from 'svelte';
import { beforeNavigate } from '$app/navigation';
import type { TrackPage } from '#lib/api/types.ts';

const CONTEXT_KEY = Symbol('feeds');

/**
 * lists that were paged further than their first page, per address, so that *back* finds the same rows and place.
 */
class FeedMemory {
  #feeds = new Map<string, TrackPage>();
  isGoingBack = false;

  keep(address: string, feed: TrackPage): void {
    this.#feeds.set(address, feed);
  }

  /** the longer list of this address when the person came back to it, else null. */
  recall(address: string): TrackPage | null {
    return this.isGoingBack ? (this.#feeds.get(address) ?? null) : null;
  }
}

/** watch how people move; once, in the root layout. */
export function rememberNavigation(): void {
  const memory = setContext(CONTEXT_KEY, new FeedMemory());
  beforeNavigate(({ type }) => {
    memory.isGoingBack = type === 'popstate';
  });
}

/** the lists of this visit. */
export function useFeedMemory(): FeedMemory {
  return getContext<FeedMemory>(CONTEXT_KEY);
}
