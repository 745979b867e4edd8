/**
 * the sleeve of a track that has no cover: a small drawing that is always the same for the same track.
 *
 * pure and cheap, so server and browser draw the same thing.
 */
export interface Sleeve {
  ground: string;
  ink: string;
  second: string;
  motif: 'grooves' | 'levels' | 'moons';
  /** eight numbers 0–1 the motif is drawn from. */
  shape: number[];
}

const MOTIFS = ['grooves', 'levels', 'moons'] as const;

/** the sleeve for a seed such as the track's id and title. */
export function sleeveFor(seed: string): Sleeve {
  const random = sequence(seed);
  const hue = Math.floor(random() * 360);
  const apart = 40 + Math.floor(random() * 140);
  return {
    motif: MOTIFS[Math.floor(random() * MOTIFS.length)] ?? 'grooves',
    ground: `oklch(0.27 0.05 ${hue})`,
    ink: `oklch(0.8 0.12 ${(hue + apart) % 360})`,
    second: `oklch(0.55 0.11 ${(hue + 20) % 360})`,
    shape: Array.from({ length: 8 }, random),
  };
}

/** numbers 0–1 that depend on the seed only (FNV-1a, then xorshift). */
function sequence(seed: string): () => number {
  let hash = 0x811c9dc5;
  for (const character of seed) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  let state = hash || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) % 10_000) / 10_000;
  };
}
