/** Ends a long-running command in order on the first SIGINT or SIGTERM, and at once on the second. */
import { constants } from 'node:os'

import { removeTemporaryFolders } from '../history/temporary-folder.ts'

/** Resolves when `close` has. */
export async function endOnSignal(close: () => Promise<void>): Promise<void> {
  await nextSignal()
  void nextSignal().then((signal) => process.exit(128 + constants.signals[signal]))
  await close()
}

/** For a command with copies of people's data in a temporary folder: they do not outlive it. */
export function endTidilyOnSignal(): void {
  void nextSignal().then((signal) => {
    removeTemporaryFolders()
    process.exit(128 + constants.signals[signal])
  })
}

function nextSignal(): Promise<'SIGINT' | 'SIGTERM'> {
  const { promise, resolve } = Promise.withResolvers<'SIGINT' | 'SIGTERM'>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  return promise
}
