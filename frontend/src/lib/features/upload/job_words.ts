import { bytes } from '#lib/format/words.ts';
import type { UploadJob } from '#lib/upload/job.svelte.ts';
import { PHASES } from '#lib/upload/progress.ts';

/** what an upload is doing right now, in one line. */
export function jobWords(job: UploadJob): string {
  switch (job.status) {
    case 'live':
      return 'live';
    case 'failed':
      return 'stopped';
    case 'needs_file':
      return job.sentBytes ? `${bytes(job.sentBytes)} of ${bytes(job.sizeBytes)} kept · waiting for the file` : 'waiting for the file';
    case 'waiting_for_sign_in':
      return 'waiting for you to sign in';
    case 'ready':
      return 'sent · waiting for you to publish';
    case 'processing':
      return `${PHASES.find((phase) => phase.name === job.server?.phase && phase.name !== 'receiving')?.label ?? 'in line'}…`;
    case 'sending':
      return sendingWords(job);
  }
}

function sendingWords(job: UploadJob): string {
  const done = `${bytes(job.sentBytes)} of ${bytes(job.sizeBytes)}`;
  if (job.transfer === 'waiting') return `${done} · trying to reconnect…`;
  if (!job.bytesPerSecond) return done;
  return `${done} · ${timeLeft((job.sizeBytes - job.sentBytes) / job.bytesPerSecond)}`;
}

function timeLeft(seconds: number): string {
  if (seconds < 5) return 'nearly there';
  if (seconds < 60) return `${Math.ceil(seconds / 5) * 5} s left`;
  return `${Math.ceil(seconds / 60)} min left`;
}
