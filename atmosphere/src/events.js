/** Print one event as a line of JSON: what a supervisor reads. */
export function say(event, details = {}) {
  process.stdout.write(JSON.stringify({ event, ...details }) + '\n')
}
