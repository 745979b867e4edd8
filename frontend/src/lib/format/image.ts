export type ImageSize = 96 | 320 | 640 | 1200;

/** the same image in another stored size: the api names `…/{size}.webp` and every size exists. */
export function imageAt(url: string, size: ImageSize): string {
  return url.replace(/\/(?:96|320|640|1200)\.webp(?=$|\?)/, `/${size}.webp`);
}

/** a srcset over all stored sizes, or undefined for an image that has only one (an avatar from elsewhere). */
export function imageSet(url: string): string | undefined {
  if (imageAt(url, 96) === imageAt(url, 320)) return undefined;
  return ([96, 320, 640, 1200] as const).map((size) => `${imageAt(url, size)} ${size}w`).join(', ');
}
