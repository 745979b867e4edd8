/** where the api answers; `BACKEND_URL`, default http://127.0.0.1:8000. */
export function backendUrl() {
  return (process.env.BACKEND_URL || 'http://127.0.0.1:8000').replace(/\/+$/, '');
}

/** whether an edge of our own stands before this server and its x-forwarded-* may be believed; `TRUST_PROXY=1`. */
export function trustsProxy() {
  return process.env.TRUST_PROXY === '1';
}
