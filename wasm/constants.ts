// The constants of SHA-256 (FIPS 180-4, sections 4.2.2 and 5.3.3), computed as they are defined: the first 32 bits of
// the fractional parts of the roots of the first primes.

function primes(count: number): bigint[] {
  const found: bigint[] = [];
  for (let n = 2n; found.length < count; n++) if (found.every((prime) => n % prime !== 0n)) found.push(n);
  return found;
}

/** The first 32 fractional bits of the `degree`-th root of `n`. */
function fraction(n: bigint, degree: bigint): number {
  const target = n << (32n * degree);
  let root = 0n;
  for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) if ((root + bit) ** degree <= target) root += bit;
  return Number(BigInt.asUintN(32, root));
}

/** H⁽⁰⁾: from the square roots of 8 primes. */
export const INITIAL_STATE: readonly number[] = primes(8).map((prime) => fraction(prime, 2n));

/** K: from the cube roots of 64 primes. */
export const ROUND_CONSTANTS: readonly number[] = primes(64).map((prime) => fraction(prime, 3n));
