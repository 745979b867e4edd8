import type { Attachment } from 'svelte/attachments';

/**
 * call `hear` when an image cannot be shown, also when it failed before the page came alive.
 *
 * an attachment rather than `onerror`, which the server would write as an inline handler that our policy forbids.
 */
export function whenBroken(hear: () => void): Attachment<HTMLImageElement> {
  return (image) => {
    if (image.complete && image.currentSrc && image.naturalWidth === 0) hear();
    image.addEventListener('error', hear);
    return () => image.removeEventListener('error', hear);
  };
}
