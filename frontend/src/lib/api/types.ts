import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

export type Track = Schemas['Track'];
export type TrackPage = Schemas['TrackPage'];
export type Artist = Schemas['Artist'];
export type Viewer = Schemas['Me'];
export type PublishRequest = Schemas['PublishBody'];

/** an upload as its owner sees it. */
export type UploadView = Schemas['Upload'];
/** one step of an upload as server-sent events tell it; its percentage runs over all phases. */
export type UploadEvent = Schemas['UploadProgress'];
