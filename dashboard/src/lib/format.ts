// How numbers, money, times and spans are said, the same on every page.

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const small = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const percent = new Intl.NumberFormat("en", {
  style: "percent",
  maximumSignificantDigits: 3,
  signDisplay: "exceptZero",
});
const exactTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** Four digits that matter: 1.234M, 98.4, 0.03211. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size >= 10_000) return compact.format(value);
  if (size >= 1 || value === 0) return plain.format(value);
  return small.format(value);
}

const long = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const six = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });

/** Six digits that matter, and never fewer than stand before the point: what a person decides on. */
export const digits = (value: number): string => (Math.abs(value) >= 100_000 ? long : six).format(value);

/** As many digits as there are. */
export const whole = (value: number): string => value.toLocaleString("en", { maximumFractionDigits: 12 });

export const change = (share: number | null | undefined): string =>
  share === null || share === undefined ? "–" : percent.format(share);

export function dollars(value: number): string {
  if (value === 0) return "$0";
  return value < 0.01
    ? `$${small.format(value)}`
    : `$${value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

export function bytes(size: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let step = 0;
  for (; size >= 1000 && step < units.length - 1; step++) size /= 1000;
  return `${step === 0 ? size : size.toFixed(1)} ${units[step]}`;
}

/** 45 s, 3 min, 2 h 5 min, 4 d. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d`;
}

/** "3 min ago", "in 2 h 5 min", "just now". */
export function relative(moment: string | Date, now: number): string {
  const seconds = (now - new Date(moment).getTime()) / 1000;
  if (Math.abs(seconds) < 5) return "just now";
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}

export const exactly = (moment: string | Date): string => exactTime.format(new Date(moment));

/** `gdp_growth` as people read it. */
export const spoken = (name: string): string => name.replaceAll("_", " ");

/** A number of things: "1 match", "2,400 matches". */
export const counted = (count: number, one: string, many: string): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
