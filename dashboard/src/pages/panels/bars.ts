// Where a bar begins and how long it is, in percent of its lane; nought lies where the lane has it.

export function span(value: number, low: number, high: number): { left: number; width: number } {
  const whole = high - low;
  if (!(whole > 0)) return { left: 0, width: 0 };
  const left = (Math.min(0, value) - low) / whole;
  return { left: left * 100, width: (Math.abs(value) / whole) * 100 };
}
