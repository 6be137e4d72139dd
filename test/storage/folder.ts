/** A data folder that goes away with the test. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class DataFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'remembrancer-data-'))

  /** The path of something in it. */
  at(...parts: readonly string[]): string {
    return join(this.path, ...parts)
  }

  /** The files in it that hold these bytes anywhere. */
  grep(text: string): readonly string[] {
    const files = readdirSync(this.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    return files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => readFileSync(path).includes(text))
  }

  /** Turns one bit of a file's byte. */
  flip(file: string, offset: number): void {
    const bytes = readFileSync(this.at(file))
    bytes[offset] = (bytes[offset] ?? 0) ^ 1
    writeFileSync(this.at(file), bytes)
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
