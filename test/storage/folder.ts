/** A data folder that goes away with the test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class DataFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'remembrancer-data-'))

  /** The path of something in it. */
  at(...parts: readonly string[]): string {
    return join(this.path, ...parts)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** The time of a test, which stands still until the test moves it. */
export class StoppedClock {
  micros = 1_800_000_000_000_000n

  now(): bigint {
    return this.micros
  }
}
