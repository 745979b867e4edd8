import type { HandleClientError } from '@sveltejs/kit/hooks';
import { ApiProblem } from '#lib/api/problem.ts';

/** say what happened in the app's own voice, also when the network is what failed. */
export const handleError: HandleClientError = ({ kind, error }) => {
  if (kind === 'framework' && error.status === 404) return { message: 'there is nothing at this address.' };
  if (kind !== 'unknown') return {};
  if (error instanceof ApiProblem) return { message: error.detail, code: error.code };
  if (error instanceof TypeError && !navigator.onLine) {
    return { status: 503, message: 'you seem to be offline. what is playing goes on.', code: 'api_unreachable' };
  }
  console.error(error);
  return { message: 'something broke on this page. nothing you had was lost.' };
};
