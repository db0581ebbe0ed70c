// Numbers, times and texts from outside as people read them.

const THOUSANDS = ["", "k", "M", "G", "T", "P"];

function scaled(n, unit) {
  let step = 0;
  while (n >= 999.5 && step < THOUSANDS.length - 1) {
    n /= 1000;
    step++;
  }
  const digits = n && n < 9.95 && (step || n % 1) ? 1 : 0;
  return `${n.toFixed(digits)} ${THOUSANDS[step]}${unit}`.trim();
}

export const count = (n) => (n < 100000 ? String(Math.round(n)) : scaled(n, ""));
export const bytes = (n) => scaled(n, "B");
export const bits = (bytesPerSecond) => scaled(bytesPerSecond * 8, "bit/s");

export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function age(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * 86400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

const pad = (n, width = 2) => String(n).padStart(width, "0");

export function clock(date) {
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

// Of a record, whose time has nanoseconds and a Z: of today to the millisecond, of another day with its date.
export function recordTime(text, now = new Date()) {
  const date = new Date(String(text).replace(/(\.\d{3})\d*Z$/, "$1Z"));
  if (Number.isNaN(date.getTime())) return "?";
  return date.toDateString() === now.toDateString() ? `${clock(date)}.${pad(date.getMilliseconds(), 3)}`
    : `${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clock(date)}`;
}

// A guest chooses host names and payloads: what would hide or turn the text around it is shown
// (Unicode TR36, "Unicode Security Considerations").
export function visible(text) {
  return String(text)
    .replace(/[\u0000-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/\u007f/g, "\u2421")
    .replace(/[\u0080-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
      (c) => `<${c.charCodeAt(0).toString(16)}>`);
}

export function cut(text, max) {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}
