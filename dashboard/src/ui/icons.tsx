// Signs as drawings: a font may lack any letter that is not a letter.

const DRAWN = {
  runs: "M2 6h9a2 2 0 1 0-2-2M2 9h11a2 2 0 1 1-2 2M2 12h5a1.6 1.6 0 1 1-1.6 1.6",
  add: "M8 3v10M3 8h10",
  compare: "M3 5h9l-2.5-2.5M13 11H4l2.5 2.5",
  hand: "M5 8V4.2a1 1 0 0 1 2 0V7M7 7V3a1 1 0 0 1 2 0v4M9 7V3.8a1 1 0 0 1 2 0V9c0 3-1.5 5-4 5S3.5 12 2.8 9.5a1 1 0 0 1 2-.6L5 9.5",
  question: "M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.9-1.1 1.8M8 12.6v.2",
  trophy: "M5 2.5h6v4a3 3 0 0 1-6 0zM5 4H2.8c0 2 1 3 2.4 3M11 4h2.2c0 2-1 3-2.4 3M8 9.5V12M5.5 13.5h5",
  layers: "M8 2.5 14 6 8 9.5 2 6zM2.5 9 8 12.2 13.5 9",
  branch:
    "M4.5 4.5v7M4.5 8c4 0 7 0 7-3.2M4.5 3a1.2 1.2 0 1 0 0 .1M4.5 13a1.2 1.2 0 1 0 0 .1M11.5 3.5a1.2 1.2 0 1 0 0 .1",
  globe:
    "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 1 0 0-11M2.5 8h11M8 2.5c-3.4 3.4-3.4 7.6 0 11M8 2.5c3.4 3.4 3.4 7.6 0 11",
  clock: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 1 0 0-11M8 5v3.2l2.2 1.6",
  model: "M8 2.5 13.5 8 8 13.5 2.5 8zM8 6v4M6 8h4",
  system: "M2.5 3.5h11v4h-11zM2.5 9.5h11v3h-11zM4.5 5.5h.1M4.5 11h.1",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  check: "M3 8.5 6.5 12 13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  dots: "M3.5 8h.1M8 8h.1M12.5 8h.1",
  bolt: "M9 2 4.5 9H8l-1 5 4.5-7H8z",
  stop: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 1 0 0-11M4.2 4.2l7.6 7.6",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
} as const;

export type Sign = keyof typeof DRAWN;

export function Icon({ sign, className = "size-4" }: { sign: Sign; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      className={`${className} shrink-0`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={DRAWN[sign]} />
    </svg>
  );
}
