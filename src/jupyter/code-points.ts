// Places in code: the wire counts code points since protocol 5.2, JavaScript UTF-16 units.

/** Code points to UTF-16 units. What lies outside of the code is its nearest end. */
export function toUnits(code: string, points: number): number {
  if (points <= 0) return 0;
  let units = 0;
  for (let n = 0; n < points && units < code.length; n++)
    units += (code.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  return units;
}

/** UTF-16 units to code points. */
export function toPoints(code: string, units: number): number {
  let points = 0;
  for (let at = 0; at < Math.min(units, code.length); points++)
    at += (code.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return points;
}
