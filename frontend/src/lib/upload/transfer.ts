import type { DetailedError, Upload } from 'tus-js-client';
import { problemFrom, type ApiProblem } from '#lib/api/problem.ts';
import { uploadsEndpoint } from '#lib/api/uploads.ts';

const RETRY_DELAYS_MS = [0, 500, 1_500, 3_000, 5_000, 10_000, 20_000, 30_000];

export interface TransferNews {
  named: (uploadId: string) => void;
  progress: (sentBytes: number) => void;
  waiting: () => void;
  done: () => void;
  failed: (problem: ApiProblem | null) => void;
}

/** bytes on their way to the api over tus; resumes where the api says it has got to. */
export class Transfer {
  #upload: Upload | null = null;
  #isAborted = false;

  /** begin, or go on with `uploadId`; what happens is told to `news`. */
  async start(file: File, uploadId: string | null, news: TransferNews): Promise<void> {
    const tus = await import('tus-js-client');
    if (this.#isAborted) return;
    const endpoint = uploadsEndpoint();
    const upload: Upload = new tus.Upload(file, {
      ...(uploadId ? { uploadUrl: endpoint + encodeURIComponent(uploadId) } : { endpoint }),
      metadata: { filename: file.name, filetype: file.type },
      chunkSize: Number.POSITIVE_INFINITY,
      retryDelays: RETRY_DELAYS_MS,
      // which upload a file belongs to is kept with its form, per person, in draft.ts
      storeFingerprintForResuming: false,
      onUploadUrlAvailable: () => {
        // with an endpoint at hand tus-js-client answers any failed question for the offset by starting from zero
        upload.options.endpoint = null;
        news.named(idFrom(upload.url ?? ''));
      },
      onProgress: (sent) => news.progress(sent),
      onShouldRetry: (error) => {
        const isWorthIt = isPassing(error);
        if (isWorthIt) news.waiting();
        return isWorthIt;
      },
      onSuccess: () => news.done(),
      onError: (error) => news.failed(problemOf(error)),
    });
    this.#upload = upload;
    upload.start();
  }

  /** stop sending; what arrived stays at the api. */
  async stop(): Promise<void> {
    this.#isAborted = true;
    await this.#upload?.abort().catch(() => undefined);
  }
}

function idFrom(url: string): string {
  return decodeURIComponent(new URL(url, location.href).pathname.replace(/\/+$/, '').split('/').at(-1) ?? '');
}

function isPassing(error: Error | DetailedError): boolean {
  const status = statusOf(error);
  return status === 0 || status === 409 || status === 423 || status === 429 || status >= 500;
}

function statusOf(error: Error | DetailedError): number {
  return 'originalResponse' in error ? (error.originalResponse?.getStatus() ?? 0) : 0;
}

function problemOf(error: Error | DetailedError): ApiProblem | null {
  const status = statusOf(error);
  if (status === 0 || !('originalResponse' in error)) return null;
  return problemFrom(status, error.originalResponse?.getBody() ?? '');
}
