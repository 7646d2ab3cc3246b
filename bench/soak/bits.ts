// One bit for each message: a million of them are 125 KB, compared in one go.

export class Bits {
  readonly bytes: Buffer;

  constructor(count: number) {
    this.bytes = Buffer.alloc(Math.ceil(count / 8));
  }

  has(index: number): boolean {
    return (this.bytes[index >> 3]! & (1 << (index & 7))) !== 0;
  }

  add(index: number): void {
    this.bytes[index >> 3]! |= 1 << (index & 7);
  }
}
