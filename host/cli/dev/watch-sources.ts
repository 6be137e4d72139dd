/**
 * Says when a source of a module was saved. Folders are watched, not files, because editors replace a
 * file by another one; node_modules, build output and hidden folders are left out, and no more than
 * watchedFoldersMax are watched.
 */
import { readdirSync, watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import path from 'node:path'

import { saveQuietTimeMs, watchedFoldersMax } from '../limits.ts'

const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'build', 'dist', 'coverage'])

export class SourceWatcher implements Disposable {
  readonly #folder: string
  readonly #onSave: () => void
  #watchers: readonly FSWatcher[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(folder: string, onSave: () => void) {
    this.#folder = folder
    this.#onSave = onSave
    this.#watchAgain()
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers) watcher.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Folders come, go and come back as others. The new watch begins before the old one ends, so that no save is lost. */
  #watchAgain(): void {
    const before = this.#watchers
    this.#watchers = sourceFolders(this.#folder).flatMap((folder) => this.#watch(folder))
    for (const watcher of before) watcher.close()
  }

  #watch(folder: string): readonly FSWatcher[] {
    try {
      const watcher = watch(folder, (_event, name) => this.#changed(name))
      watcher.on('error', () => watcher.close())
      return [watcher]
    } catch (error) {
      // Gone since it was listed.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    }
  }

  /** The timer is not set back by later changes, so that a steady stream of them cannot put the build off. */
  #changed(name: string | null): void {
    if (name !== null && !isSource(name)) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#watchAgain()
      this.#onSave()
    }, saveQuietTimeMs)
  }
}

/** A name without an extension may be a folder that came or went. */
function isSource(name: string): boolean {
  if (name.startsWith('.') || SKIPPED.has(name)) return false
  return name === 'package.json' || path.extname(name) === '' || (name.endsWith('.ts') && !name.endsWith('.test.ts'))
}

function sourceFolders(root: string): readonly string[] {
  const folders = [root]
  for (let index = 0; index < folders.length && folders.length < watchedFoldersMax; index += 1) {
    folders.push(...foldersIn(folders[index] ?? root))
  }
  return folders.slice(0, watchedFoldersMax)
}

function foldersIn(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && isSource(entry.name))
    return names.map(({ name }) => path.join(folder, name))
  } catch {
    return []
  }
}
