/** seconds as people write them: 3:07, 1:02:33; a dash when unknown. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** seconds for a screen reader: "3 minutes 7 seconds". */
export function spokenDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const minutes = Math.floor(whole / 60);
  const rest = `${plural(whole % 60, 'second')}`;
  return minutes ? `${plural(minutes, 'minute')} ${rest}` : rest;
}

/** bytes with one sensible unit: 812 kB, 34.1 MB. decimal, as file managers count. */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  if (count < 1_000_000) return `${Math.round(count / 1_000)} kB`;
  if (count < 1_000_000_000) return `${(count / 1_000_000).toFixed(1)} MB`;
  return `${(count / 1_000_000_000).toFixed(2)} GB`;
}

/** an instant as a short lowercase date: "14 mar 2026". the same on server and client: UTC, fixed words. */
export function shortDate(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
  return `${at.getUTCDate()} ${months[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
}

/** "1 track", "4 tracks". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** the first readable title in a file name: "02 - night_drive (final).flac" → "night drive (final)". */
export function titleFromFileName(name: string): string {
  const stem = name.replace(/\.[a-z0-9]{1,5}$/i, '').normalize('NFC');
  const spaced = stem.includes(' ') ? stem : stem.replace(/[_]+/g, ' ').replace(/(?<=\p{L})-(?=\p{L})/gu, ' ');
  const title = spaced.replace(/_/g, ' ').replace(/^\d{1,3}\s*[-–.)]+\s*/, '').replace(/^0\d\s+/, '').replace(/\s+/g, ' ').trim();
  return title || stem || name;
}
