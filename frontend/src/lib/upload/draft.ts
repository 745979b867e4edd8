/** what the person writes about a track before it is published. */
export interface Draft {
  title: string;
  album: string;
  tags: string[];
  description: string;
}

/** an upload as it survives a reload: the form and the server's id, no bytes and no secret. */
export interface KeptJob {
  key: string;
  upload_id: string | null;
  file_name: string;
  file_type: string;
  size_bytes: number;
  last_modified: number;
  is_publish_requested: boolean;
  is_publish_sent: boolean;
  has_cover: boolean;
  is_cover_sent: boolean;
  draft: Draft;
}

export const MAX_TAGS = 10;
export const MAX_TAG_LENGTH = 64;
const KEY = 'plyr.uploads';

/** the uploads this person left here, none when another person left them. */
export function readKeptJobs(did: string): KeptJob[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? 'null') as { did?: string; jobs?: KeptJob[] } | null;
    return kept?.did === did && Array.isArray(kept.jobs) ? kept.jobs : [];
  } catch {
    return [];
  }
}

/** keep the uploads of this person; an empty list forgets them. */
export function writeKeptJobs(did: string, jobs: KeptJob[]): void {
  try {
    if (jobs.length) localStorage.setItem(KEY, JSON.stringify({ did, jobs }));
    else localStorage.removeItem(KEY);
  } catch {
    // storage may be full or forbidden; the upload itself goes on
  }
}

/** add what was typed to the tags: lowercase, trimmed, no doubles, at most ten. commas separate. */
export function addTags(tags: readonly string[], typed: string): string[] {
  const fresh = typed
    .split(',')
    .map((tag) => tag.normalize('NFC').trim().replace(/^#+\s*/, '').replace(/\s+/g, ' ').toLowerCase().slice(0, MAX_TAG_LENGTH))
    .filter(Boolean);
  return [...new Set([...tags, ...fresh])].slice(0, MAX_TAGS);
}

/** the same file by what a browser tells of it without reading it. */
export function isSameFile(kept: { file_name: string; size_bytes: number; last_modified: number }, file: File): boolean {
  if (kept.file_name !== file.name || kept.size_bytes !== file.size) return false;
  return kept.last_modified === 0 || kept.last_modified === file.lastModified;
}
