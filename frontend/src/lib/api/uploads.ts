import { answered, api } from './client.ts';
import { problemFrom, unreachable } from './problem.ts';
import type { PublishRequest, UploadEvent, UploadView } from './types.ts';

/** the tus endpoint; absolute, since the server names uploads relative to it. */
export const uploadsEndpoint = (): string => `${location.origin}/api/uploads/`;

/** the viewer's unfinished and recently ended uploads, newest first. */
export async function listUploads(): Promise<UploadView[]> {
  return (await answered(api.GET('/uploads/'))).uploads;
}

/** ask for publication; may come before the bytes are complete. errors: ApiProblem 403 artist_profile_required, 422 */
export async function publishUpload(uploadId: string, request: PublishRequest): Promise<void> {
  await answered(api.POST('/uploads/{upload_id}/publish', { params: { path: { upload_id: uploadId } }, body: request }));
}

/** try a failed but kept upload again. */
export async function retryUpload(uploadId: string): Promise<void> {
  await answered(api.POST('/uploads/{upload_id}/retry', { params: { path: { upload_id: uploadId } } }));
}

/** cancel and forget an upload; one that is already gone is fine. */
export async function forgetUpload(uploadId: string): Promise<void> {
  const response = await send(`${uploadsEndpoint()}${encodeURIComponent(uploadId)}`, {
    method: 'DELETE',
    headers: { 'tus-resumable': '1.0.0' },
  });
  if (!response.ok && response.status !== 404 && response.status !== 410) {
    throw problemFrom(response.status, await response.text());
  }
}

/** set the cover of an upload. errors: ApiProblem 422 image_invalid with the reason */
export async function putCover(uploadId: string, image: Blob): Promise<void> {
  const response = await send(`${uploadsEndpoint()}${encodeURIComponent(uploadId)}/cover`, {
    method: 'PUT',
    body: image,
    headers: { 'content-type': image.type || 'application/octet-stream' },
  });
  if (!response.ok) throw problemFrom(response.status, await response.text());
}

/**
 * follow an upload until its final state; the browser reconnects by itself and the server replays what was missed.
 *
 * `lost` is called once when the server refuses the stream for good (signed out, unknown upload).
 * returns a function that stops following.
 */
export function followUpload(uploadId: string, hear: (event: UploadEvent) => void, lost: () => void): () => void {
  const source = new EventSource(`/api/tracks/uploads/${encodeURIComponent(uploadId)}/progress`);
  source.onmessage = (message) => {
    const event = JSON.parse(message.data) as UploadEvent;
    if (event.status === 'completed' || event.status === 'failed') source.close();
    hear(event);
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) lost();
  };
  return () => source.close();
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw unreachable();
  }
}
