import { defineParams } from '@sveltejs/kit/params';

/** what route parameters may be. */
export const params = defineParams({
  trackid: (param) => (/^[1-9]\d{0,15}$/.test(param) ? Number(param) : undefined),
});
