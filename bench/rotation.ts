// The order in which those that are compared take turns.

/** Nobody always comes first, or always after the same neighbor's garbage. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
