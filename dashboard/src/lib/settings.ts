// Changes as people write them, one a line: KEY=VALUE.

/** A value as it is meant: JSON where it is JSON, otherwise the text itself. */
export function meant(text: string): unknown {
  const said = text.trim();
  try {
    return JSON.parse(said);
  } catch {
    return said;
  }
}

/** All lines, or the first that is no change. */
export function readSettings(text: string): { set: Record<string, unknown> } | { wrong: string } {
  const set: Record<string, unknown> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const at = line.indexOf("=");
    const key = line.slice(0, Math.max(0, at)).trim();
    if (at < 0 || key === "") return { wrong: line.trim() };
    set[key] = meant(line.slice(at + 1));
  }
  return { set };
}
