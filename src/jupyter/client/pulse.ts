// Whether a kernel's heart beats: asks every second, and says when it has been silent for too long.

import type { Heartbeat } from "../heartbeat.js";

const EVERY = 1000;
const PATIENCE = 1000;

/** Watches one heartbeat until it is stopped, or stops. */
export class Pulse {
  #last = performance.now();
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param deadAfter  milliseconds of silence
   * @param onSilence  called once
   */
  constructor(heartbeat: Heartbeat, deadAfter: number, onSilence: () => void) {
    const ask = async () => {
      await heartbeat.ping({ timeout: PATIENCE }).then(
        () => this.felt(),
        () => {},
      );
      if (this.#stopped) return;
      if (performance.now() - this.#last > deadAfter) {
        this.stop();
        onSilence();
        return;
      }
      this.#timer = setTimeout(() => void ask(), EVERY);
      this.#timer.unref();
    };
    void ask();
  }

  /** Milliseconds since the last sign of life. */
  get silence(): number {
    return performance.now() - this.#last;
  }

  /** There was a sign of life: a beat, or anything that the kernel said. */
  felt(): void {
    this.#last = performance.now();
  }

  /** Ends it. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
