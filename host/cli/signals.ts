/** Ends a long-running command in order on the first SIGINT or SIGTERM, and at once on the second. */
import { removeTemporaryFolders } from '../history/temporary-folder.ts'

type EndingSignal = 'SIGINT' | 'SIGTERM'

/** Resolves when `close` has. */
export async function endOnSignal(close: () => Promise<void>): Promise<void> {
  await nextSignal()
  void nextSignal().then(endBy)
  await close()
}

/** For a command with copies of people's data in a temporary folder: they do not outlive it. */
export async function endTidilyOnSignal(): Promise<void> {
  const signal = await nextSignal()
  removeTemporaryFolders()
  endBy(signal)
}

function nextSignal(): Promise<EndingSignal> {
  const { promise, resolve } = Promise.withResolvers<EndingSignal>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  return promise
}

/**
 * By the signal itself, which a shell shows as 128 and its number. `process.exit` joins V8's compiler threads, which
 * may be waiting for the thread that joins them (https://github.com/nodejs/node/issues/54918).
 */
function endBy(signal: EndingSignal): void {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}
