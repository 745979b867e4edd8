/** the steps of an upload in the order the api walks them, as people read them. */
export const PHASES = [
  { name: 'receiving', label: 'sending' },
  { name: 'assembling', label: 'putting together' },
  { name: 'checking', label: 'checking the audio' },
  { name: 'cover', label: 'making the cover' },
  { name: 'publishing', label: 'publishing to your server' },
  { name: 'live', label: 'live' },
] as const;

export type TransferState = 'sending' | 'waiting' | 'needs_file' | 'done' | 'stopped';
export type JobStatus = 'sending' | 'needs_file' | 'ready' | 'processing' | 'waiting_for_sign_in' | 'live' | 'failed';

export interface ServerView {
  status: 'pending' | 'processing' | 'completed' | 'failed';
  phase: string;
  /** 0–100 over all phases after the bytes. */
  server_progress_pct: number;
}

/** what one upload is doing, from what the browser and the server each know of it. */
export function statusOf(job: {
  hasFailed: boolean;
  transfer: TransferState;
  isPublishRequested: boolean;
  server: ServerView | null;
}): JobStatus {
  if (job.server?.status === 'completed') return 'live';
  if (job.hasFailed || job.server?.status === 'failed') return 'failed';
  if (job.server?.phase === 'waiting_for_sign_in') return 'waiting_for_sign_in';
  if (job.transfer === 'needs_file') return 'needs_file';
  if (job.transfer !== 'done') return 'sending';
  return job.isPublishRequested ? 'processing' : 'ready';
}

/** how far the whole is, 0–1: the bytes are the first 70 %, the server's steps the rest. */
export function fractionOf(job: { sentBytes: number; sizeBytes: number; status: JobStatus; server: ServerView | null }): number {
  if (job.status === 'live') return 1;
  const sent = job.sizeBytes > 0 ? Math.min(1, job.sentBytes / job.sizeBytes) : 0;
  const walked = Math.min(100, Math.max(0, job.server?.server_progress_pct ?? 0)) / 100;
  return sent * 0.7 + (sent === 1 ? walked * 0.29 : 0);
}

/** bytes per second over the last few seconds, smoothed; null until there is enough to say. */
export class Speedometer {
  #samples: { at_ms: number; bytes: number }[] = [];

  /** note that `bytes` had arrived at `at_ms`. */
  note(bytes: number, at_ms: number): void {
    this.#samples.push({ at_ms, bytes });
    while (this.#samples.length > 2 && at_ms - (this.#samples[0]?.at_ms ?? at_ms) > 5_000) this.#samples.shift();
  }

  get bytesPerSecond(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at_ms - first.at_ms < 500 || last.bytes <= first.bytes) return null;
    return ((last.bytes - first.bytes) * 1000) / (last.at_ms - first.at_ms);
  }
}
