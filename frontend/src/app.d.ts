import type { Viewer } from '#lib/api/types.ts';

declare global {
  namespace App {
    interface Locals {
      /** the signed-in person, or null for a stranger (also while the api is away). */
      viewer: Viewer | null;
    }
    interface Error {
      /** the api's error code, where there is one: `track_not_found`, `api_unreachable`, … */
      code?: string;
    }
    interface PageData {
      viewer: Viewer | null;
    }
  }
}

export {};
