import createClient, { type Client } from 'openapi-fetch';
import { problemFrom, unreachable } from './problem.ts';
import type { paths } from './schema.d.ts';

export type Api = Client<paths>;

interface Answer<Data> {
  data?: Data | undefined;
  error?: unknown;
  response: Response;
}

/** the api as a page in the browser reaches it: same origin, cookies included. */
export const api: Api = createClient<paths>({ baseUrl: '/api' });

/**
 * the data of a call, or its problem thrown.
 *
 * errors: ApiProblem; its code is `api_unreachable` when there was no answer
 */
export async function answered<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  let answer: Answer<Data>;
  try {
    answer = await call;
  } catch {
    throw unreachable();
  }
  if (!answer.response.ok) throw problemFrom(answer.response.status, answer.error);
  return answer.data as Data;
}
