/** Modules as their authors write them, in folders that go away with the test. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { HostError } from '../../host/errors.ts'
import { compileModule } from '../../host/module/compile.ts'
import type { CompiledModule } from '../../host/module/compile.ts'

export type Files = Readonly<Record<string, string>>

export const IMPORTS = 'import { Appender, Context, Identity, Json, Nullable, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";'

/** A folder named `diary` with these files. */
export class ModuleFolder implements Disposable {
  readonly #parent = mkdtempSync(path.join(tmpdir(), 'remembrancer-'))
  readonly path = path.join(this.#parent, 'diary')

  constructor(files: Files) {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.path, name)
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#parent, { recursive: true, force: true })
  }
}

/** Compiles index.ts: the imports stand on its first line, and `source` begins on its second. */
export async function compile(source: string, optimize = false): Promise<CompiledModule> {
  using folder = new ModuleFolder({ 'index.ts': `${IMPORTS}\n${source}` })
  return await compileModule(folder.path, { optimize })
}

export async function describe(source: string): Promise<Record<string, unknown>> {
  const { description } = await compile(source)
  return JSON.parse(new TextDecoder().decode(description))
}

/** The lines that the author of this module reads. */
export async function refusal(source: string): Promise<readonly string[]> {
  try {
    await compile(source)
  } catch (error) {
    assert(error instanceof HostError && error.code === 'ERR_BUILD', String(error))
    return error.message.split('\n')
  }
  return assert.fail('the module was not refused')
}
