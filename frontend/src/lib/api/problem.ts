/**
 * what went wrong in a call to the api, in the api's own words.
 *
 * code:   the api's error code; `api_unreachable` when it could not be reached at all, `unexpected_answer` when it spoke no JSON
 * status: the HTTP status, 0 when there was no answer
 */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    readonly code: string,
    readonly status: number,
    readonly detail: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(detail);
  }

  /** true when trying the same again later may well work. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const UNREACHABLE = 'the music server is not answering right now. nothing was lost; try again in a moment.';

/** read an error answer's body (already parsed, or a text) as a problem. */
export function problemFrom(status: number, body: unknown): ApiProblem {
  if (typeof body === 'string') {
    try {
      return problemFrom(status, JSON.parse(body));
    } catch {
      return new ApiProblem('unexpected_answer', status, `the server answered with ${status} and no reason.`);
    }
  }
  if (body && typeof body === 'object' && 'error' in body) {
    const told = body as Record<string, unknown>;
    const detail = typeof told.detail === 'string' ? told.detail : `the server answered with ${status}.`;
    return new ApiProblem(String(told.error), status, detail, told);
  }
  return new ApiProblem('unexpected_answer', status, `the server answered with ${status} and no reason.`);
}

/** a call that got no answer at all (offline, refused, timed out). */
export function unreachable(): ApiProblem {
  return new ApiProblem('api_unreachable', 0, UNREACHABLE);
}
