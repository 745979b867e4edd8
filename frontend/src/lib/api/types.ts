import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

export type Track = Schemas['Track'];
export type TrackPage = Schemas['TrackPage'];
export type Artist = Schemas['ArtistResponse'];
export type Viewer = Schemas['Me'];
export type UploadView = Schemas['UploadView'];
export type PublishRequest = Schemas['PublishIn'];

/** one step of an upload as the server tells it over server-sent events. */
export interface UploadEvent {
  status: 'pending' | 'processing' | 'completed' | 'failed';
  phase: string;
  server_progress_pct: number | null;
  message: string | null;
  error: string | null;
  error_code?: string | null;
  track_id: number | null;
}
